"""A recording server: tus 1.0 with creation. SECRET=… python recording_server.py FOLDER PORT"""

import os
import secrets
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePath

FOLDER, SECRET = Path(sys.argv[1]), os.environ.get("SECRET", "")


class Recordings(BaseHTTPRequestHandler):
    def answer(self, status, **headers):
        self.send_response(status)
        for name, value in {"Tus-Resumable": "1.0.0", **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def is_allowed(self):
        return not SECRET or self.headers["Authorization"] == f"Bearer {SECRET}" or self.answer(401)

    def find(self):
        file = FOLDER / f"{PurePath(self.path).name}.mkv"
        return self.is_allowed() and ((file.is_file() and file) or self.answer(404))

    def do_OPTIONS(self):
        self.answer(204, Tus_Version="1.0.0", Tus_Extension="creation")

    def do_POST(self):
        if self.is_allowed():
            file = FOLDER / f"{secrets.token_hex(16)}.mkv"
            length, metadata = self.headers["Upload-Length"], self.headers["Upload-Metadata"]
            file.with_suffix(".txt").write_text(f"{length}\n{metadata}")
            file.touch()
            self.answer(201, Location=f"/{file.stem}")

    def do_HEAD(self):
        if file := self.find():
            length = file.with_suffix(".txt").read_text().split()[0]
            self.answer(200, Upload_Offset=file.stat().st_size, Upload_Length=length)

    def do_PATCH(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if file := self.find():
            with file.open("ab") as data:
                is_next = self.headers["Upload-Offset"] == str(data.tell())
                data.write(body if is_next else b"")
                data.flush()
                os.fsync(data.fileno())  # acknowledge only bytes that are on the disk
                self.answer(204 if is_next else 409, Upload_Offset=data.tell())


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Recordings).serve_forever()
