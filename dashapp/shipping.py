"""Ready-made ways of sending logs to this server: one Fluent Bit configuration, and lines of curl. Pure.

They name no token, only the variable that holds one. A line of the log goes over as it stands (`log`), because the
ingest server knows more formats than Fluent Bit's parsers do; deploy/fluent-bit.conf does the same with JSON.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from string import Template
from urllib.parse import urlencode

from dashapp.ingest_address import Target

DEFAULT_SERVICE = "web"
MOST_SERVICE = 100


@dataclass(frozen=True, slots=True)
class Shipped:
    """What Fluent Bit reads: its files, the tag, what the input needs besides, and a remark in front."""

    path: str
    tag: str
    remark: tuple[str, ...] = ()
    more: tuple[tuple[str, str], ...] = ()


SOURCES = {
    "text": Shipped(
        "/var/log/nginx/access.log",
        "access",
        (
            "nginx logs no response times by itself. To have them, add $request_time at the end of log_format:",
            "  log_format timed '$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent '",
            '                   \'"$http_referer" "$http_user_agent" $request_time\';',
            "  access_log /var/log/nginx/access.log timed;",
        ),
    ),
    "apache": Shipped(
        "/var/log/apache2/access.log",
        "access",
        (
            "Apache logs no response times by itself. To have them, add %D (microseconds) to the format:",
            '  LogFormat "%a %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\" %D" timed',
            "  CustomLog ${APACHE_LOG_DIR}/access.log timed",
        ),
    ),
    "caddy": Shipped(
        "/var/log/caddy/access.log",
        "caddy",
        (
            "Caddy writes an access log where the Caddyfile says so:",
            "  log {",
            "    output file /var/log/caddy/access.log",
            "    format json",
            "  }",
        ),
    ),
    "traefik": Shipped(
        "/var/log/traefik/access.log",
        "traefik",
        (
            "Traefik writes an access log where its static configuration says so:",
            "  accessLog: { filePath: /var/log/traefik/access.log, format: json }",
        ),
    ),
    "envoy": Shipped(
        "/var/log/envoy/access.log",
        "envoy",
        ("Envoy's default text format is read as it is, and so is its JSON format with the same names.",),
    ),
    "alb": Shipped(
        "/var/lib/alb-logs/*.log",
        "alb",
        (
            "An AWS load balancer writes its log into a bucket. Bring the files here every few minutes, unpacked:",
            "  aws s3 sync s3://BUCKET/AWSLogs/ /var/lib/alb-logs/packed/",
            "  for f in packed/**/*.gz; do [ -e $(basename $f .gz) ] || gunzip -c $f > $(basename $f .gz); done",
        ),
    ),
    "json": Shipped(
        "/var/log/app/access.json",
        "access",
        (
            "One JSON object a line. nginx writes such a log with:",
            '  log_format json escape=json \'{"timestamp":"$time_iso8601","method":"$request_method",\'',
            '    \'"path":"$request_uri","status":$status,"request_time":$request_time,\'',
            '    \'"bytes":$body_bytes_sent,"client_ip":"$remote_addr","user_agent":"$http_user_agent"}\';',
        ),
    ),
    "docker": Shipped(
        "/var/lib/docker/containers/*/*-json.log",
        "docker",
        (
            "What the containers of this machine print. Name the folder of one container in Path to take only",
            "its log: lines that are no access log go into quarantine.",
        ),
        (("multiline.parser", "docker, cri"),),
    ),
    "kubernetes": Shipped(
        "/var/log/containers/*_ingress-nginx_*.log",
        "kube",
        (
            "What the pods of a node print; run it as a DaemonSet with /var/log mounted. Path names the pods:",
            "POD_NAMESPACE_CONTAINER-ID.log. Lines that are no access log go into quarantine.",
        ),
        (("multiline.parser", "docker, cri"),),
    ),
}

_CONFIGURATION = Template("""\
# Sends an access log to accessboard, every record at least once; what is sent again is known again.
$remark
[SERVICE]
    Flush                     1
    Grace                     10
    # What is not delivered yet survives a restart.
    storage.path              /var/lib/fluent-bit/storage

[INPUT]
    Name                      tail
    Tag                       $tag
    # Must not match the files that rotation renames: they would be read again.
    Path                      $path
$more    DB                        /var/lib/fluent-bit/$tag.db
    Read_from_Head            true
    Buffer_Max_Size           1M
    storage.type              filesystem
    path_key                  file
    offset_key                offset

[FILTER]
    Name                      record_modifier
    Match                     *
    Record                    source_host $${HOSTNAME}
    uuid_key                  _id

[OUTPUT]
    Name                      http
    Match                     *
    Host                      $host
    Port                      $port
$tls    URI                       /log/ingest?$query
    Format                    json_lines
    json_date_format          iso8601
    compress                  gzip
    header_tag                X-Fluent-Tag
$token
    # The default is one retry, after which the data is thrown away.
    Retry_Limit               no_limits
    storage.total_limit_size  1G
    log_response_payload      off
""")


def fluent_bit(source: str, target: Target, service: str) -> str:
    """Configuration in classic form that tails a source of SOURCES."""
    shipped = SOURCES[source]
    header = "header                    Authorization Bearer ${INGEST_TOKEN}"
    return _CONFIGURATION.substitute(
        remark="".join(f"# {line}\n" for line in shipped.remark),
        tag=shipped.tag,
        path=shipped.path,
        more="".join(f"    {key:<25} {value}\n" for key, value in shipped.more),
        host=target.host,
        port=target.port,
        tls="    tls                       on\n" if target.tls else "",
        query=urlencode({"service": service_name(service)}),
        token=f"    {header}" if target.token else f"    # {header}",
    )


def curl(target: Target, service: str) -> str:
    """A line that sends one record, and one that sends a file."""
    url = f"{target.url}/log/ingest?{urlencode({'service': service_name(service)})}"
    token = ' -H "Authorization: Bearer $INGEST_TOKEN"' if target.token else ""
    record = '{"timestamp":"\'$(date -u +%Y-%m-%dT%H:%M:%SZ)\'","method":"GET","path":"/hello","status":200}'
    return (
        "# one record\n"
        f"curl {shlex.quote(url)}{token} \\\n  -d '{record}'\n\n"
        "# a whole file of up to 64 MiB; sent again it is known by its place\n"
        f"curl {shlex.quote(url)}{token} \\\n"
        "  -H 'X-File-Offset: 0' -H 'X-File-Name: access.log' --data-binary @access.log\n"
    )


def service_name(given: str | None) -> str:
    """A name as it was typed, on one line."""
    text = "".join(character for character in given or "" if character.isprintable()).strip()
    return text[:MOST_SERVICE] or DEFAULT_SERVICE
