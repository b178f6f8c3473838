"""Switch Audio & Video Chat on, create a call and list the latest calls, over the REST API.

python examples/rest_client.py http://127.0.0.1:8080 TOKEN
"""

from __future__ import annotations

import json
import sys
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

CONFIG = "/v4/livechat/audioVideoChatConfig"
CALLS = "/v4/livechat/audioVideoChats"


class Client:
    """A client of one server, with the token of one agent."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._token = token

    def request(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[Any, str]:
        """Return the answer's JSON and its ETag; raises `HTTPError`."""
        data = None if body is None else json.dumps(body).encode()
        fields = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        request = Request(self._url + path, data, fields, method=method)
        with urlopen(request, timeout=30) as answer:
            return json.load(answer), answer.headers["ETag"] or ""

    def enable(self) -> dict[str, Any]:
        """Switch calls on; read again and retry if another administrator was faster."""
        while True:
            config, etag = self.request("GET", CONFIG)
            try:
                return self.request("PUT", CONFIG, {**config, "isEnabled": True}, If_Match=etag)[0]
            except HTTPError as error:
                if error.code != 412:  # Precondition Failed
                    raise


def main(url: str, token: str) -> None:
    client = Client(url, token)
    try:
        print("enabled:", client.enable()["isEnabled"])
        call, _ = client.request("POST", CALLS, {"media": "video", "visitorName": "Ann"})
        print("send the visitor to", call["visitorUrl"])
        print("open as the agent:", call["agentUrl"])
        page, _ = client.request("GET", f"{CALLS}?pageSize=5")
        for each in page["audioVideoChats"]:
            print(each["createTime"], each["state"], each["visitorName"])
    except HTTPError as error:
        problem = json.load(error)
        sys.exit(f"{problem['error']}: {problem['message']}")


if __name__ == "__main__":
    main(*sys.argv[1:3])
