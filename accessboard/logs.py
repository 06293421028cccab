"""How the servers log: lines for people, or JSON objects for programs, each with the number of its request."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Literal

import flask
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from dashapp.request_id import current_request_id

_TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogSettings(BaseSettings):
    """How the servers log."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    log_format: Literal["text", "json"] = Field(
        default="text", description="Lines of the servers' own logs: text, or json with a field for each part."
    )


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if flask.has_request_context():
            said |= {"request_id": current_request_id(), "method": flask.request.method, "path": flask.request.path}
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False)


def configure(settings: LogSettings) -> None:
    """Log to standard error in the chosen form."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else logging.Formatter(_TEXT))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
