"""The report."""

TEXTS: dict[str, tuple[str, str]] = {
    "export_report": ("보고서 (인쇄, PDF)", "Report (print, PDF)"),
    "report_title": ("접근 로그 보고서", "Access log report"),
    "report_print": ("인쇄 또는 PDF로 저장", "Print, or save as PDF"),
    "report_back": ("Overview로 돌아가기", "Back to Overview"),
    "report_range": ("기간", "Range"),
    "report_filters": ("필터", "Filters"),
    "report_no_filters": ("없음", "none"),
    "report_against": ("비교 대상", "Compared with"),
    "report_final": ("확정", "Final"),
    "report_all_final": ("기간 전체", "the whole range"),
    "report_final_to": ("{through}까지", "through {through}"),
    "report_made": ("작성", "Made"),
    "busiest": ("호출이 많은 엔드포인트", "Busiest endpoints"),
    "busiest_unit": ("호출 수 기준", "by calls"),
    "report_clients": ("요청이 많은 클라이언트", "Busiest clients"),
    "report_clients_unit": ("요청 수 기준", "by requests"),
    "report_client": ("클라이언트", "Client"),
}
