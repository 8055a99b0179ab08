"""Firmware that a watch was about to get: what is needed to finish it after a crash."""

from dataclasses import dataclass

from ksos_link.store.part import StorePart


@dataclass(frozen=True, slots=True)
class BegunUpload:
    """`path` is the file or the release manifest that was written, `sha256` that of its bytes."""

    address: str
    path: str
    sha256: str
    began_utc_s: int


class UploadPart(StorePart):
    """Keeps the one update that a watch is in the middle of, by the watch's address."""

    def begin_upload(self, upload: BegunUpload) -> None:
        """Remember it, in place of an older one of this watch."""
        with self._writing_briefly():
            self.database.change(
                "INSERT OR REPLACE INTO upload (address, path, sha256, began_utc_s)"
                " VALUES (?, ?, ?, ?)",
                (upload.address, upload.path, upload.sha256, upload.began_utc_s),
            )

    def end_upload(self, address: str) -> None:
        """The watch runs an application again."""
        with self._writing_briefly():
            self.database.change("DELETE FROM upload WHERE address = ?", (address,))

    def begun_uploads(self) -> tuple[BegunUpload, ...]:
        """All that were begun and have not ended, the newest first."""
        rows = self.database.rows(
            "SELECT address, path, sha256, began_utc_s FROM upload ORDER BY began_utc_s DESC"
        )
        return tuple(BegunUpload(*row) for row in rows)
