# Spotwatch from this repository: docker build -t spotwatch .
FROM python:3.13.7-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /source
RUN python -m venv /opt/spotwatch
COPY pyproject.toml README.md LICENSE ./
COPY cli cli
COPY collectors collectors
COPY config config
COPY dashboards dashboards
COPY pipeline pipeline
RUN /opt/spotwatch/bin/pip install .

FROM python:3.13.7-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home spotwatch \
    && install --directory --owner=spotwatch --group=spotwatch --mode=0700 \
        /var/lib/spotwatch /var/lib/spotwatch-tokens
COPY --from=build /opt/spotwatch /opt/spotwatch
ENV PATH=/opt/spotwatch/bin:$PATH PYTHONDONTWRITEBYTECODE=1 SPOTWATCH_CONFIG=/deployment
USER 10001:10001
VOLUME ["/var/lib/spotwatch", "/var/lib/spotwatch-tokens"]
# The daemon touches this file every 15 seconds.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=4 \
    CMD ["sh", "-c", "find /var/lib/spotwatch/alive -mmin -2 | grep -q ."]
STOPSIGNAL SIGTERM
ENTRYPOINT ["spotwatch"]
CMD ["run"]
