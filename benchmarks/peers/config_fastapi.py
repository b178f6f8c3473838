"""The configuration resource in FastAPI, written like the examples of its documentation."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel

TOKENS: dict[str, dict[str, Any]] = {
    "benchmark": {"site": 1, "permissions": {"Manage Settings"}},
}


class Config(BaseModel):
    isEnabled: bool  # noqa: N815
    isAutomaticallyRecordingAudioVideoChatsEnabled: bool  # noqa: N815
    recordingServerUrl: str  # noqa: N815


CONFIGS = {
    1: Config(
        isEnabled=False,
        isAutomaticallyRecordingAudioVideoChatsEnabled=False,
        recordingServerUrl="http://google.com",
    )
}

app = FastAPI()
bearer = HTTPBearer()


async def administrator(
    credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)],
) -> dict[str, Any]:
    agent = TOKENS.get(credentials.credentials)
    if agent is None:
        raise HTTPException(401)
    if "Manage Settings" not in agent["permissions"]:
        raise HTTPException(403)
    return agent


@app.get("/v4/livechat/audioVideoChatConfig")
async def get(
    agent: Annotated[dict[str, Any], Depends(administrator)], response: Response
) -> Config:
    response.headers["ETag"] = '"1"'
    return CONFIGS[agent["site"]]
