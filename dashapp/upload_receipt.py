"""What became of an uploaded file: the sum of what the ingest server said of its pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

Count = Annotated[int, Field(ge=0)]
Name = Annotated[str, Field(max_length=200)]


class UploadReceipt(BaseModel):
    """Counts of records, received = stored + duplicate + quarantined, and the time that the rows are of."""

    name: Name
    service: Name
    received: Count = 0
    stored: Count = 0
    duplicate: Count = 0
    quarantined: Count = 0
    quarantined_by_kind: dict[Name, Count] = {}
    first: datetime | None = None
    last: datetime | None = None

    def add(self, piece: Mapping[str, Any]) -> None:
        """Add the receipt of a piece."""
        more = UploadReceipt.model_validate({**piece, "name": self.name, "service": self.service})
        self.received += more.received
        self.stored += more.stored
        self.duplicate += more.duplicate
        self.quarantined += more.quarantined
        self.quarantined_by_kind = dict(Counter(self.quarantined_by_kind) + Counter(more.quarantined_by_kind))
        self.first = min(filter(None, (self.first, more.first)), default=None)
        self.last = max(filter(None, (self.last, more.last)), default=None)


def receipt_of(data: object) -> UploadReceipt | None:
    """A receipt as it came back through the browser; None if it is none."""
    try:
        return UploadReceipt.model_validate(data)
    except ValidationError:
        return None
