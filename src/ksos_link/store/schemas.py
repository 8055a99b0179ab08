"""The tables of a store, as each released step of `migrations.py` made them. Never edited.

The tables of samples are spelled out rather than derived from `METRICS`: what a step did must not
change when the metrics do.
"""

from typing import Final

FIRST_SCHEMA: Final = """
CREATE TABLE device (
    device_id INTEGER PRIMARY KEY,
    alias TEXT NOT NULL UNIQUE COLLATE NOCASE,
    address TEXT NOT NULL UNIQUE COLLATE NOCASE,
    family TEXT NOT NULL,
    product TEXT NOT NULL,
    bound_utc_s INTEGER NOT NULL,
    last_sync_utc_s INTEGER,
    forgotten INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE clock_stretch (
    stretch_id INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
    from_utc_s INTEGER NOT NULL,
    utc_offset_s INTEGER NOT NULL,
    sure INTEGER NOT NULL
) STRICT;
CREATE INDEX clock_stretch_device ON clock_stretch (device_id);
CREATE TABLE clock (
    clock_id INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
    snapshot TEXT NOT NULL,
    UNIQUE (device_id, snapshot)
) STRICT;
CREATE TABLE raw_record (
    raw_id INTEGER PRIMARY KEY,
    device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
    family TEXT NOT NULL,
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body BLOB NOT NULL,
    decoder_version INTEGER NOT NULL,
    clock_id INTEGER NOT NULL REFERENCES clock,
    verified INTEGER NOT NULL,
    fetched_utc_s INTEGER NOT NULL,
    UNIQUE (device_id, family, kind, key)
) STRICT;
CREATE TABLE raw_span (
    raw_id INTEGER NOT NULL REFERENCES raw_record ON DELETE CASCADE,
    metric TEXT NOT NULL,
    first_utc_s INTEGER NOT NULL,
    last_utc_s INTEGER NOT NULL,
    PRIMARY KEY (raw_id, metric)
) WITHOUT ROWID, STRICT;
CREATE TABLE watermark (
    device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
    kind TEXT NOT NULL,
    position TEXT NOT NULL,
    PRIMARY KEY (device_id, kind)
) WITHOUT ROWID, STRICT;
CREATE TABLE heart_rate (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    bpm INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE resting_heart_rate (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    bpm INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE spo2 (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    spo2_pct INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE stress (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    stress_score INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE steps (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE activity (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    intensity INTEGER,
    active_min INTEGER,
    active_energy_kcal INTEGER,
    energy_kcal INTEGER,
    distance_m INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE sleep (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    stage INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE sleep_summary (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    awake_min INTEGER NOT NULL,
    light_min INTEGER NOT NULL,
    rem_min INTEGER,
    deep_min INTEGER NOT NULL,
    sleep_score INTEGER,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE workout (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    sport TEXT NOT NULL,
    sport_code INTEGER NOT NULL,
    steps INTEGER,
    energy_kcal INTEGER,
    distance_m INTEGER,
    bpm_avg INTEGER,
    bpm_max INTEGER,
    bpm_min INTEGER,
    cadence_avg_spm INTEGER,
    cadence_max_spm INTEGER,
    speed_avg_mps REAL,
    speed_max_mps REAL,
    warm_up_s INTEGER,
    fat_burn_s INTEGER,
    aerobic_s INTEGER,
    anaerobic_s INTEGER,
    extreme_s INTEGER,
    training_effect REAL,
    vo2max_ml_kg_min INTEGER,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE workout_heart_rate (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    bpm INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE workout_minute (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    energy_kcal INTEGER NOT NULL,
    distance_m INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE workout_split (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    distance_m INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE swim (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    duration_s INTEGER NOT NULL,
    distance_m INTEGER,
    laps INTEGER,
    energy_kcal INTEGER,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE battery (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    battery_pct INTEGER NOT NULL,
    voltage_mv INTEGER,
    charging INTEGER,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT
"""

SETTINGS_SCHEMA: Final = """
CREATE TABLE setting (
    device_id INTEGER NOT NULL REFERENCES device ON DELETE CASCADE,
    name TEXT NOT NULL,
    fields TEXT NOT NULL,
    sent_utc_s INTEGER NOT NULL,
    PRIMARY KEY (device_id, name)
) WITHOUT ROWID, STRICT;
CREATE TABLE wearer (
    wearer_id INTEGER PRIMARY KEY CHECK (wearer_id = 1),
    fields TEXT NOT NULL,
    set_utc_s INTEGER NOT NULL
) STRICT;
CREATE TABLE consent (
    name TEXT PRIMARY KEY,
    given_utc_s INTEGER NOT NULL
) WITHOUT ROWID, STRICT
"""

CAMPAIGN_SCHEMA: Final = """
CREATE TABLE campaign (
    campaign_id INTEGER PRIMARY KEY,
    path TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    state TEXT NOT NULL,
    began_utc_s INTEGER NOT NULL,
    ended_utc_s INTEGER
) STRICT;
CREATE TABLE campaign_file (
    campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (campaign_id, path)
) WITHOUT ROWID, STRICT;
CREATE TABLE campaign_watch (
    campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    watch_no INTEGER NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    radio TEXT NOT NULL,
    PRIMARY KEY (campaign_id, watch_no)
) WITHOUT ROWID, STRICT;
CREATE TABLE campaign_step (
    campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    step_no INTEGER NOT NULL,
    label TEXT NOT NULL,
    patterns TEXT NOT NULL,
    PRIMARY KEY (campaign_id, step_no)
) WITHOUT ROWID, STRICT;
CREATE TABLE campaign_attempt (
    campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    watch_no INTEGER NOT NULL,
    step_no INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    verdict TEXT NOT NULL,
    began_utc_s INTEGER NOT NULL,
    took_s REAL,
    message TEXT NOT NULL,
    wrote INTEGER NOT NULL DEFAULT 0,
    radio TEXT,
    sent_bytes INTEGER,
    rate_bytes_per_s REAL,
    repeated_bytes INTEGER,
    links INTEGER,
    samples INTEGER,
    rssi_dbm INTEGER,
    battery_before_pct INTEGER,
    battery_after_pct INTEGER,
    firmware_version TEXT,
    PRIMARY KEY (campaign_id, watch_no, step_no, attempt)
) WITHOUT ROWID, STRICT;
CREATE TABLE lock (
    lock_id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL UNIQUE
) STRICT
"""

UPLOAD_SCHEMA: Final = """
CREATE TABLE upload (
    address TEXT PRIMARY KEY,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    began_utc_s INTEGER NOT NULL
) WITHOUT ROWID, STRICT
"""

# what other programs record, and newer watches
FURTHER_METRICS_SCHEMA: Final = """
CREATE TABLE workout_point (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    latitude_deg REAL NOT NULL,
    longitude_deg REAL NOT NULL,
    elevation_m REAL,
    distance_m REAL,
    speed_mps REAL,
    cadence_spm INTEGER,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE rr_interval (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    rr_ms INTEGER NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE heart_rate_variability (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    sdnn_ms REAL,
    rmssd_ms REAL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE temperature (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    temperature_c REAL NOT NULL,
    site TEXT NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE noise (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    noise_db REAL NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT;
CREATE TABLE weight (
    device_id INTEGER NOT NULL,
    start_utc_s INTEGER NOT NULL,
    raw_id INTEGER NOT NULL,
    weight_kg REAL NOT NULL,
    quality INTEGER NOT NULL,
    PRIMARY KEY (device_id, start_utc_s, raw_id)
) WITHOUT ROWID, STRICT
"""

# what a person lets out, to whom, and what went: a withdrawn consent stays as a line of the ledger
SHARING_SCHEMA: Final = """
CREATE TABLE share_consent (
    consent_id INTEGER PRIMARY KEY,
    receiver TEXT NOT NULL,
    data TEXT NOT NULL,
    region TEXT,
    home_region TEXT,
    given_utc_s INTEGER NOT NULL,
    withdrawn_utc_s INTEGER
) STRICT;
CREATE UNIQUE INDEX share_consent_now ON share_consent (receiver) WHERE withdrawn_utc_s IS NULL;
CREATE TABLE share (
    share_id INTEGER PRIMARY KEY,
    receiver TEXT NOT NULL,
    began_utc_s INTEGER NOT NULL,
    data TEXT NOT NULL,
    item TEXT NOT NULL,
    samples INTEGER NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX share_item ON share (receiver, item)
"""
