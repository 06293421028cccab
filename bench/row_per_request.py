"""What many services do: an endpoint that checks one record and commits one row. The baseline of single posts."""

from __future__ import annotations

import os
from datetime import datetime

import psycopg
import sqlalchemy as sa
from fastapi import FastAPI
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker


class Base(DeclarativeBase):
    """Declarative base."""


class PlainLog(Base):
    """One request in a plain table."""

    __tablename__ = "plain_log"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    timestamp: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), index=True)
    service: Mapped[str]
    method: Mapped[str]
    path: Mapped[str]
    status: Mapped[int]
    latency_ms: Mapped[float]
    bytes: Mapped[int]
    client_ip: Mapped[str]
    user_agent: Mapped[str]


class Record(BaseModel):
    """One record of a body."""

    date: datetime
    service: str
    method: str
    path: str
    status: int
    latency_ms: float
    bytes: int
    client_ip: str
    user_agent: str


engine = sa.create_engine(
    "postgresql+psycopg://", creator=lambda: psycopg.connect(os.environ["DATABASE_URL"]), pool_size=16
)
Base.metadata.create_all(engine)
sessions = sessionmaker(engine)
app = FastAPI()


@app.post("/log/ingest")
def ingest(record: Record) -> dict[str, str]:
    """Store one record."""
    values = record.model_dump()
    with sessions() as session:
        session.add(PlainLog(timestamp=values.pop("date"), **values))
        session.commit()
    return {"message": "log stored"}
