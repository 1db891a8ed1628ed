"""A TCP proxy between the command and a server, whose connections can be cut, delayed, half-closed and swallowed."""
import asyncio
import random
import socket
import struct
import threading


class Proxy:
    """Listens on a port of its own in a thread of its own; `mode` may be changed at any time.

    pass: as it comes. delay: every piece waits. swallow: nothing comes through any more, in either direction, and
    nobody is told. A rule for what goes to the server may cut a connection just when something is said.
    """

    def __init__(self, target, port=0, seed=0):
        self.target, self.port, self.mode, self.delay_seconds = target, port, "pass", 0.0
        self.random = random.Random(seed)
        self.pairs, self.cut_at, self.cut_after_seconds, self.cuts = [], None, 0.0, 0
        self.problems = []
        self.loop = asyncio.new_event_loop()
        self.loop.set_exception_handler(lambda _, context: self.problems.append(context))
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        if not self.ready.wait(60):
            raise RuntimeError("the proxy does not listen")

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port))
        self.port = self.server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()

    def close(self):
        asyncio.run_coroutine_threadsafe(self.end(), self.loop).result(10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        if self.thread.is_alive():
            raise RuntimeError("the proxy does not end")
        self.loop.close()
        if self.problems:
            raise RuntimeError(f"the proxy itself failed: {self.problems[0]}")

    async def end(self):
        self.server.close()
        for pair in list(self.pairs):
            self.abort(pair)
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.server.wait_closed()

    async def serve(self, reader, writer):
        try:
            await self.carry(reader, writer)
        except asyncio.CancelledError:
            # Only the proxy's end cancels, and up to Python 3.11 the streams print a cancelled task as a failure.
            pass
        finally:
            writer.transport.abort()

    async def carry(self, reader, writer):
        try:
            there_reader, there_writer = await asyncio.open_connection(*self.target)
        except OSError:
            return
        pair = (writer, there_writer)
        self.pairs.append(pair)
        try:
            await asyncio.gather(self.pump(reader, there_writer, pair, True),
                                 self.pump(there_reader, writer, pair, False))
        finally:
            there_writer.transport.abort()
            self.pairs.remove(pair)

    async def pump(self, reader, writer, pair, to_server):
        before = b""
        try:
            while True:
                data = await reader.read(65536)
                if not data:
                    break
                while self.mode == "swallow":
                    await asyncio.sleep(0.05)
                    if writer.transport.is_closing():
                        return
                if self.mode == "delay":
                    await asyncio.sleep(self.random.uniform(0, self.delay_seconds))
                # What is said may come in two pieces.
                hit = to_server and self.cut_at is not None and self.cut_at in before + data
                before = data[-64:]
                writer.write(data)
                await writer.drain()
                if hit:
                    # The server has heard it; its answer may or may not come through.
                    self.cut_at, self.cuts = None, self.cuts + 1
                    await asyncio.sleep(self.cut_after_seconds)
                    self.abort(pair)
                    return
            if not writer.transport.is_closing():
                writer.write_eof()
        except (ConnectionError, OSError, RuntimeError):
            self.abort(pair)

    @staticmethod
    def abort(pair):
        for side in pair:
            connection = side.get_extra_info("socket")
            if connection is not None and not side.transport.is_closing():
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            side.transport.abort()

    def cut(self):
        """Resets all connections."""
        self.loop.call_soon_threadsafe(lambda: [self.abort(pair) for pair in list(self.pairs)])

    def half_close(self):
        """Ends one direction of each connection; the other stays."""
        def work():
            for pair in list(self.pairs):
                side = self.random.choice(pair)
                if side.can_write_eof() and not side.transport.is_closing():
                    side.write_eof()
        self.loop.call_soon_threadsafe(work)

    def cut_when(self, text, after_seconds):
        """Cuts the next connection on which the command says this, so long after it was passed on."""
        self.cut_after_seconds, self.cut_at = after_seconds, text
