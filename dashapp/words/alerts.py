"""Messages about incidents."""

TEXTS: dict[str, tuple[str, str]] = {
    "alert_opened": ("장애 감지", "Incident"),
    "alert_closed": ("종료", "Over"),
    "alert_digest": ("보류했던 알림 {n}건", "{n} messages that were held back"),
    "alert_digest_why": (
        "조용한 시간이거나 알림이 너무 많아 모아 두었던 알림입니다.",
        "These were held back in quiet hours, or because there were too many.",
    ),
    "alert_nothing": (
        "늦게 도착한 로그로 다시 확인한 결과 이상이 없었습니다.",
        "Rows that came later show that there was nothing.",
    ),
    "alert_more": ("그 밖에 {n}건이 더 있습니다.", "There are {n} more."),
    "alert_and_more": (" 외 {n}건", " and {n} more"),
    "alert_test": ("알림 시험", "Test message"),
    "alert_test_body": (
        "{at}에 보낸 시험 알림입니다. 이 알림이 보이면 채널이 동작합니다.",
        "This is a test, sent at {at}. If you can read it, the channel works.",
    ),
}
