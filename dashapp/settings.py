"""Settings of the dashboard, from the environment or `.env`."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from dashapp.access.settings import AccessSettings
from dashapp.alerts.quiet import quiet_hours
from dashapp.insight.finding import Severity
from dashapp.upload_access import Allowed


class DashboardSettings(AccessSettings):
    """What the dashboard shows and how."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True, env_ignore_empty=True)

    dashboard_bind: str = Field(default="127.0.0.1:8050", description="Address and port of the dashboard.")
    settle_seconds: int = Field(
        default=120,
        ge=0,
        le=86_400,
        description="Quick ranges end this many seconds ago, so that late rows have arrived; "
        "charts show nothing newer.",
    )
    display_timezone: str = Field(default="Asia/Seoul", description="Zone of every time on a page (IANA name).")
    company_name: str = Field(default="SOLOMONTECH", description="Name at the top left.")
    ui_language: Literal["ko", "en"] = Field(default="ko", description="Language before a viewer chooses one.")
    ingest_bind: str = Field(default="127.0.0.1:8000", description="Address and port of the ingest server.")
    ingest_tokens: SecretStr = Field(
        default=SecretStr(""), description="Tokens of the ingest server; the first is sent with an uploaded file."
    )
    ingest_url: str | None = Field(
        default=None,
        description="Where the dashboard reaches the ingest server, such as http://ingest:8000; empty: by INGEST_BIND.",
    )
    allow_upload: Allowed = Field(
        default="local",
        description="Who may upload a log file on the Collection page: local (this machine), all, or off.",
    )
    upload_max_mb: int = Field(default=1024, ge=1, description="Largest file to upload, unpacked, in megabytes.")
    scan: bool = Field(
        default=True,
        description="Search each settled minute for what deviates, keep what is found, and send messages about it.",
    )
    canary: bool = Field(
        default=True,
        description="Send a test record through the ingest server each minute, which counts nowhere, and raise a "
        "finding when it is not stored.",
    )
    alert_urls: SecretStr = Field(
        default=SecretStr(""),
        description="Where messages about incidents go: addresses of Apprise (mailto://, slack://, json://, ...), "
        "separated by blanks. Empty: nowhere.",
    )
    alert_severity: Severity = Field(default="medium", description="Least severity of an incident that is told.")
    alert_quiet_hours: str = Field(
        default="",
        description="Hours such as 22:00-07:00, in DISPLAY_TIMEZONE, when messages are held back for a digest.",
    )
    alert_quiet_high: bool = Field(default=False, description="Send high ones in quiet hours too.")
    alert_most_per_hour: int = Field(
        default=12, ge=1, le=1000, description="Most messages in an hour; what is more is held back for a digest."
    )
    alert_allow_internal: bool = Field(
        default=False,
        description="Whether messages may go to addresses of this machine and network, and through a proxy.",
    )
    dashboard_url: str | None = Field(
        default=None, description="Address of the dashboard for links in messages, such as https://logs.example.com."
    )
    openai_api_key: SecretStr | None = Field(
        default=None, description="Key of the AI service; without one the rule-based analysis serves."
    )
    openai_base_url: str | None = Field(default=None, description="Any OpenAI-compatible server; empty: OpenAI's own.")
    openai_model: str = Field(default="gpt-4o-mini", description="Model that the AI page asks.")
    max_daily_cost: float = Field(
        default=1.0,
        ge=0,
        description="Most that AI calls may cost a day of DISPLAY_TIMEZONE, in US dollars; 0 makes no call.",
    )
    ai_prices: dict[str, tuple[float, float]] = Field(
        default={},
        description="US dollars for a million tokens of input and output, for models that are not known or cost "
        'otherwise: {"my-model": [0.1, 0.4]}. A model without a price is asked, and its cost is not counted.',
    )
    ai_calls_per_minute: int = Field(default=10, ge=1, le=1000, description="Most AI analyses and questions a minute.")
    ai_timeout_s: float = Field(default=60.0, gt=0, le=600, description="Seconds until an AI call is given up.")
    ai_retries: int = Field(
        default=2, ge=0, le=10, description="How often a call that a busy server refuses is made again, ever later."
    )
    ai_temperature: float = Field(default=0.0, ge=0, le=2, description="Temperature of the model.")
    ai_max_output_tokens: int = Field(
        default=3000,
        ge=200,
        le=100_000,
        description="Most tokens of an answer; one that is cut off is asked for again.",
    )
    ai_prompt_version: str = Field(
        default="", description="Version of the prompt files, such as v1; empty: the newest. See dashapp/ai/prompts."
    )
    ai_send_addresses: bool = Field(
        default=False, description="Send client addresses to the model as they are, not as client-1, client-2."
    )

    @field_validator("display_timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{value!r} is no time zone; use a name such as Asia/Seoul or UTC") from None
        return value

    @field_validator("alert_quiet_hours")
    @classmethod
    def _are_hours(cls, value: str) -> str:
        quiet_hours(value, ZoneInfo("UTC"))
        return value.strip()

    @field_validator("ingest_url", "dashboard_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{value!r} is no address; write it as http://ingest.example:8000")
        return value.rstrip("/")

    @property
    def zone(self) -> ZoneInfo:
        """The zone object of `display_timezone`."""
        return ZoneInfo(self.display_timezone)
