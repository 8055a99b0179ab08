"""The radio of the virtual watch: link-layer controllers and the air between them.

bumble brings controllers and a link that hands everything over at once. Here they behave like a
radio: connection events, lost packets, a supervision time-out, back-pressure, scan responses, and
a controller that can be reset. Every chance comes from one seeded generator; the time is the wall
clock of the event loop.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bumble import hci, ll
from bumble.controller import AdvertisingSet, Connection, Controller, LegacyAdvertiser
from bumble.core import PhysicalTransport
from bumble.link import LocalLink
from bumble.transport.common import TransportSink, TransportSource

_LINK_LOST: Final = hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR
_NOT_ESTABLISHED: Final = hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
_UNIT_MS: Final = 0.625  # of advertising intervals in HCI commands
_SAME_INSTANT: Final = 1e-6  # of an interval: sums of floats may fall just short of an event


@dataclass(frozen=True, slots=True)
class LinkShape:
    """How good the air is.

    Attributes:
        interval_s: Time between connection events; 0 delivers everything at once.
        packets_per_event: Link-layer packets per connection event and direction.
        payload_bytes: Bytes in one link-layer packet.
        loss: Chance that a packet of a connection is lost. It is sent again in the next event.
        advertising_loss: Chance that an advertisement, or the answer to a scan request, is lost.
        supervision_s: With data waiting and nothing acknowledged for so long, the link is lost.
        rssi_dbm: Signal strength in advertising reports.
        seed: Of the generator that decides what is lost.
    """

    interval_s: float = 0.0
    packets_per_event: int = 6
    payload_bytes: int = 251
    loss: float = 0.0
    advertising_loss: float = 0.0
    supervision_s: float = 4.0
    rssi_dbm: int = -50
    seed: int = 0


@dataclass(slots=True)
class _Pdu:
    """An L2CAP packet on its way: how much of it is still to be sent, and who waits for it."""

    data: bytes
    packets_left: int
    hci_packets: int


@dataclass(slots=True)
class _AirQueue:
    """What one end of a connection has to send."""

    connection: Connection
    pdus: deque[_Pdu] = field(default_factory=deque)
    timer: asyncio.TimerHandle | None = None
    heard_s: float = 0.0


class ShapedLink(LocalLink):
    """The air between `RadioController`s. `shape` may be replaced at any time."""

    def __init__(self, shape: LinkShape | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bumble left it without annotations
        self.shape = shape or LinkShape()
        self._random = random.Random(self.shape.seed)  # noqa: S311  # weather, not secrets
        self._queues: dict[int, _AirQueue] = {}

    def send_acl_data(
        self,
        sender_controller: Controller,
        destination_address: hci.Address,
        transport: PhysicalTransport,
        data: bytes,
    ) -> None:
        """Put an L2CAP packet of a controller on the air."""
        del transport  # LE only
        connection = sender_controller.le_connections.get(destination_address)
        if connection is None or not isinstance(sender_controller, RadioController):
            return
        pdu = _Pdu(
            data,
            packets_left=-(-len(data) // self.shape.payload_bytes),
            hci_packets=sender_controller.take_uncompleted(connection.handle),
        )
        queue = self._queues.setdefault(id(connection), _AirQueue(connection))
        if not self.shape.interval_s and not queue.pdus:
            self._deliver(connection, pdu)
            return
        queue.pdus.append(pdu)
        if queue.timer is None:
            queue.heard_s = asyncio.get_running_loop().time()
            self._schedule(queue)

    def send_advertising_pdu(
        self, sender_controller: Controller, packet: ll.AdvertisingPdu
    ) -> None:
        """Broadcast an advertisement, or answer one with a request to connect."""
        if isinstance(packet, ll.ConnectInd):
            super().send_advertising_pdu(sender_controller, packet)
            asyncio.get_running_loop().call_soon(
                self._check_established, sender_controller, packet.advertiser_address
            )
        elif self._random.random() >= self.shape.advertising_loss:
            super().send_advertising_pdu(sender_controller, packet)

    def scan_response(self, advertiser: hci.Address) -> bytes | None:
        """Answer a scan request: the advertiser's scan response, or None when it was lost."""
        if self._random.random() < self.shape.advertising_loss:
            return None
        for controller in self.controllers:
            for advertising in advertisers_of(controller):
                if advertising.enabled and advertising.address == advertiser:
                    return bytes(advertising.scan_response_data)
        return None

    def other_end(self, connection: Connection) -> Connection | None:
        """Return the same connection as the peer sees it."""
        for controller in self.controllers:
            other = controller.le_connections.get(connection.self_address)
            if (
                other is not None
                and controller is not connection.controller
                and other.self_address == connection.peer_address
            ):
                return other
        return None

    def drop(self, connection: Connection, reason: int = _LINK_LOST) -> None:
        """End a connection on both ends, as out of range; what was queued is gone."""
        other = self.other_end(connection)
        for end in (connection, other):
            if end is not None:
                end.controller.on_le_disconnected(end, reason)

    def cut(self) -> None:
        """Drop every connection on the air."""
        for controller in list(self.controllers):
            for connection in list(controller.le_connections.values()):
                if controller.le_connections.get(connection.peer_address) is connection:
                    self.drop(connection)

    def forget(self, connection: Connection) -> None:
        """Throw away what a connection had still to send."""
        queue = self._queues.pop(id(connection), None)
        if queue is not None and queue.timer is not None:
            queue.timer.cancel()

    def _check_established(self, central: Controller, advertiser: hci.Address) -> None:
        connection = central.le_connections.get(advertiser)
        if connection is not None and self.other_end(connection) is None:
            # the watch stopped advertising meanwhile, or another central was faster
            central.on_le_disconnected(connection, _NOT_ESTABLISHED)

    def _schedule(self, queue: _AirQueue) -> None:
        loop, interval_s = asyncio.get_running_loop(), self.shape.interval_s
        # both directions share the instants of the connection events
        now_s = loop.time()
        at_s = interval_s * (int(now_s / interval_s + _SAME_INSTANT) + 1) if interval_s else now_s
        queue.timer = loop.call_at(at_s, self._connection_event, queue)

    def _connection_event(self, queue: _AirQueue) -> None:
        queue.timer = None
        now_s = asyncio.get_running_loop().time()
        for _ in range(self.shape.packets_per_event):
            if not queue.pdus or self._random.random() < self.shape.loss:
                break  # a lost packet ends the event
            queue.heard_s = now_s
            pdu = queue.pdus[0]
            pdu.packets_left -= 1
            if not pdu.packets_left:
                queue.pdus.popleft()
                self._deliver(queue.connection, pdu)
        if queue.pdus and now_s - queue.heard_s > self.shape.supervision_s:
            self.drop(queue.connection)
        elif queue.pdus:
            self._schedule(queue)

    def _deliver(self, connection: Connection, pdu: _Pdu) -> None:
        other = self.other_end(connection)
        if other is not None:
            asyncio.get_running_loop().call_soon(_arrive, other, pdu.data)
        connection.controller.send_hci_packet(
            hci.HCI_Number_Of_Completed_Packets_Event(
                connection_handles=[connection.handle], num_completed_packets=[pdu.hci_packets]
            )
        )


def _arrive(connection: Connection, data: bytes) -> None:
    """Hand a packet to the receiving end, unless the link was lost in the last moment.

    bumble would name the sender by its random address of this moment; a central that connected
    with its public address, as BlueZ does, would never be heard.
    """
    controller, peer = connection.controller, connection.peer_address
    if controller.le_connections.get(peer) is connection:
        controller.on_link_acl_data(peer, PhysicalTransport.LE, data)


def advertisers_of(controller: Controller) -> list[AdvertisingSet | LegacyAdvertiser]:
    """Return all that a controller may be advertising."""
    return [controller.le_legacy_advertiser, *controller.advertising_sets.values()]


class RadioController(Controller):
    """A controller on a `ShapedLink`, with those gaps of bumble's filled that a host notices."""

    le_acl_data_packet_length = 251  # as with data length extension; bumble says 27
    link: ShapedLink

    def __init__(
        self,
        name: str,
        link: ShapedLink,
        host_source: TransportSource | None = None,
        host_sink: TransportSink | None = None,
        public_address: str | None = None,
    ) -> None:
        super().__init__(name, host_source, host_sink, link, public_address)
        self._uncompleted: dict[int, int] = {}

    def leave(self) -> None:
        """Switch the radio off: peers lose their links, the host hears nothing more."""
        self._silence()
        self.host = None
        self.link.controllers.discard(self)

    def take_uncompleted(self, handle: int) -> int:
        """Return how many HCI packets of a connection the host has not been told about."""
        return self._uncompleted.pop(handle, 0)

    def on_hci_acl_data_packet(self, packet: hci.HCI_AclDataPacket) -> None:
        """Take a packet; the host is told when it left, so that it feels the air's pace."""
        connection = self.find_le_connection_by_handle(packet.connection_handle)
        if connection is None:
            return  # the link was lost while the packet was under way
        self._uncompleted[connection.handle] = self._uncompleted.get(connection.handle, 0) + 1
        connection.assembler.feed_packet(packet)

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """Tell the host that a connection is gone, unless it knows."""
        if self.le_connections.get(connection.peer_address) is connection:
            self._forget(connection)
            super().on_le_disconnected(connection, reason)

    def on_hci_reset_command(
        self, _command: hci.HCI_Reset_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Forget links, scanning and advertising; bumble keeps them all."""
        self._silence()
        return super().on_hci_reset_command(_command)

    def on_hci_le_create_connection_cancel_command(
        self, _command: hci.HCI_LE_Create_Connection_Cancel_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Complete the pending connection with an error; in bumble it stays pending for ever."""
        if pending := self.pending_le_connection:
            self.pending_le_connection = None
            asyncio.get_running_loop().call_soon(
                self.send_hci_packet,
                hci.HCI_LE_Connection_Complete_Event(
                    status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
                    connection_handle=0,
                    role=hci.Role.CENTRAL,
                    peer_address_type=pending.peer_address_type,
                    peer_address=pending.peer_address,
                    connection_interval=0,
                    peripheral_latency=0,
                    supervision_timeout=0,
                    central_clock_accuracy=0,
                ),
            )
        return super().on_hci_le_create_connection_cancel_command(_command)

    def on_hci_le_set_advertising_parameters_command(
        self, command: hci.HCI_LE_Set_Advertising_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Read the interval in its unit; bumble takes it for milliseconds."""
        answer = super().on_hci_le_set_advertising_parameters_command(command)
        interval_ms = round(command.advertising_interval_min * _UNIT_MS)
        self.le_legacy_advertiser.advertising_interval_min = interval_ms
        return answer

    def on_hci_le_set_extended_scan_parameters_command(
        self, command: hci.HCI_LE_Set_Extended_Scan_Parameters_Command
    ) -> hci.HCI_StatusReturnParameters:
        """Remember whether the scan is active; bumble does so for the legacy command only."""
        self.le_scan_type = command.scan_types[0]
        return super().on_hci_le_set_extended_scan_parameters_command(command)

    def on_advertising_pdu(self, pdu: ll.AdvInd | ll.AdvExtInd) -> None:
        """Report an advertisement, ask for the scan response, connect if that was asked for.

        bumble repeats the advertisement as the scan response.
        """
        if self.le_scan_enable:
            self._report(pdu.advertiser_address, pdu.data, is_response=False)
            if self.le_scan_type:
                response = self.link.scan_response(pdu.advertiser_address)
                if response is not None:
                    self._report(pdu.advertiser_address, response, is_response=True)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, address: hci.Address, data: bytes, *, is_response: bool) -> None:
        report = (
            _extended_report
            if self.le_features & hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
            else _legacy_report
        )
        self.send_hci_packet(report(address, data, self.link.shape.rssi_dbm, is_response))

    def _silence(self) -> None:
        self.le_scan_enable = False
        self.pending_le_connection = None
        for advertising in advertisers_of(self):
            advertising.stop()
        self.advertising_sets.clear()
        for connection in list(self.le_connections.values()):
            other = self.link.other_end(connection)
            self._forget(connection)
            del self.le_connections[connection.peer_address]
            if other is not None:
                other.controller.on_le_disconnected(other, _LINK_LOST)

    def _forget(self, connection: Connection) -> None:
        self.link.forget(connection)
        self._uncompleted.pop(connection.handle, None)


_Reporter = Callable[[hci.Address, bytes, int, bool], hci.HCI_Event]


def _extended_report(
    address: hci.Address, data: bytes, rssi_dbm: int, is_response: bool
) -> hci.HCI_Event:
    event = hci.HCI_LE_Extended_Advertising_Report_Event
    kind = (
        event.EventType.CONNECTABLE_ADVERTISING
        | event.EventType.SCANNABLE_ADVERTISING
        | event.EventType.LEGACY_ADVERTISING_PDU_USED
    )
    return event(
        [
            event.Report(
                event_type=kind | event.EventType.SCAN_RESPONSE if is_response else kind,
                address_type=address.address_type,
                address=address,
                primary_phy=hci.Phy.LE_1M,
                secondary_phy=hci.Phy(0),
                advertising_sid=0xFF,
                tx_power=event.TX_POWER_INFORMATION_NOT_AVAILABLE,
                rssi=rssi_dbm,
                periodic_advertising_interval=0,
                direct_address_type=0,
                direct_address=hci.Address.ANY,
                data=data,
            )
        ]
    )


def _legacy_report(
    address: hci.Address, data: bytes, rssi_dbm: int, is_response: bool
) -> hci.HCI_Event:
    event = hci.HCI_LE_Advertising_Report_Event
    return event(
        [
            event.Report(
                event_type=event.EventType.SCAN_RSP if is_response else event.EventType.ADV_IND,
                address_type=address.address_type,
                address=address,
                data=data,
                rssi=rssi_dbm,
            )
        ]
    )
