"""What really went over the wire: packets of the loopback interface, put together to what each server was sent.

Only inside a network namespace of one's own (`unshare --net`), where the default route leads to loopback too: a packet
for anywhere else would be seen here. Linux alone (packet(7)).
"""

import re
import socket
import struct
import threading
from collections import defaultdict
from typing import Self

_ALL = 0x0003  # ETH_P_ALL
_IPV4, _TCP, _OUTGOING = 0x0800, 6, 4
_MARKER = re.compile(rb"Marker[0-9]+end")
_KEPT = 64  # bytes of a stream's end in which a marker may have begun


class Capture:
    """Reader of all packets, in a thread. `markers`: by the port they went to; `strange`: where else packets went."""

    def __init__(self) -> None:
        self.markers: dict[int, set[str]] = defaultdict(set)
        self.strange: set[str] = set()
        self.packets = 0
        self._ends: dict[tuple[int, int], bytes] = {}
        self._closed = False
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL))
        self._socket.setsockopt(socket.SOL_SOCKET, 33, 64 * 2**20)  # SO_RCVBUFFORCE: no packet is lost
        self._socket.bind(("lo", 0))
        self._socket.settimeout(0.2)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed = True
        self._thread.join()
        self._socket.close()

    def lost(self) -> int:
        """Return how many packets could not be read in time (PACKET_STATISTICS); they are counted once."""
        _, drops = struct.unpack("II", self._socket.getsockopt(263, 6, 8))
        return int(drops)

    def _read(self) -> None:
        while True:
            try:
                data, (_, protocol, kind, *_) = self._socket.recvfrom(65_600)
            except TimeoutError:
                if self._closed:
                    return
                continue
            if (
                kind == _OUTGOING and protocol == _IPV4
            ):  # on loopback each packet is seen twice: as it leaves, and comes
                self._packet(data[14:])

    def _packet(self, packet: bytes) -> None:
        self.packets += 1
        target = socket.inet_ntoa(packet[16:20])
        if not target.startswith("127."):
            self.strange.add(target)
            return
        if packet[9] != _TCP:
            return
        head = (packet[0] & 15) * 4
        length = struct.unpack("!H", packet[2:4])[0] or len(packet)
        source, port = struct.unpack("!HH", packet[head : head + 4])
        body = packet[head + (packet[head + 12] >> 4) * 4 : length]
        if not body:
            return
        stream = self._ends.get((source, port), b"") + body
        self._ends[source, port] = stream[-_KEPT:]
        self.markers[port].update(found.decode() for found in _MARKER.findall(stream))
