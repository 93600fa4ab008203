"""A real SFTP server of this process, over a folder of the test's own."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import asyncssh

from service.core import config
from service.core.config import SwitchSettings


class Server:
    """One SFTP server over a folder, in a thread; its link can be cut in the midst of a file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.cut_after, self.reads, self.sent = folder, 0, 0, 0
        self.host_key, self.user_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        self.loop = asyncio.new_event_loop()
        self.links: list[Any] = []
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.port = asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result(10)

    async def _listen(self) -> int:
        server = self

        class Sftp(asyncssh.SFTPServer):
            def __init__(self, channel: Any) -> None:
                server.links.append(channel.get_connection())
                super().__init__(channel, chroot=str(server.folder))

            def read(self, file: Any, offset: int, size: int) -> bytes:
                server.reads += 1
                if server.cut_after and server.reads > server.cut_after:
                    server.links[-1].abort()
                data: bytes = super().read(file, offset, size)  # type: ignore[assignment]
                server.sent += len(data)
                return data

        keys = asyncssh.import_authorized_keys(self.user_key.export_public_key().decode())
        self._server = await asyncssh.listen("127.0.0.1", 0, server_host_keys=[self.host_key], authorized_client_keys=keys, sftp_factory=Sftp)
        return int(self._server.get_port())

    def switch(self, tmp_path: Path, **more: Any) -> SwitchSettings:
        key = tmp_path / "id_ed25519"
        key.write_bytes(self.user_key.export_private_key())
        key.chmod(0o600)
        public = self.host_key.export_public_key().decode().strip()
        item = {"name": "pbx1", "recordings": self.url("monitor"), "sftp_key_file": str(key), "sftp_host_key": public}
        return config._switch(item | more)

    def url(self, folder: str) -> str:
        return f"sftp://ringdesk@127.0.0.1:{self.port}/{folder}"

    def close(self) -> None:
        async def end() -> None:
            for link in self.links:
                link.abort()
            self._server.close()
            await self._server.wait_closed()

        asyncio.run_coroutine_threadsafe(end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()
