# The portal as one image: N replicas of it, PostgreSQL and nothing on the local disk (docs/operations).
# docker build -t competition-portal . ; the environment says the rest: docker run --env-file portal.env …
# The same image runs the web server (as it is), the worker (… python manage.py run_worker) and every other command.
# What it does is in scripts/image, so that it can be tried without a container engine (tests/deploy/test_image.py).

FROM python:3.13-slim-bookworm AS build
# requirements-faces.txt has the optional search for faces as well (docs/operations).
ARG LOCK=requirements.txt
COPY scripts/image /build/
COPY ${LOCK} /build/requirements.txt
RUN /build/image dependencies /build/requirements.txt
COPY manage.py /srv/portal/app/
COPY deploy/gunicorn.conf.py /srv/portal/app/deploy/
COPY accounts /srv/portal/app/accounts
COPY competition_portal /srv/portal/app/competition_portal
COPY photos /srv/portal/app/photos
COPY plans /srv/portal/app/plans
COPY profiles /srv/portal/app/profiles
COPY registrations /srv/portal/app/registrations
COPY templates /srv/portal/app/templates
COPY static /srv/portal/app/static
RUN /build/image application

FROM python:3.13-slim-bookworm
ENV PATH=/opt/portal/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/srv/portal/data
COPY --from=build /opt/portal /opt/portal
COPY --from=build /srv/portal /srv/portal
RUN --mount=type=bind,source=scripts/image,target=/tmp/image /tmp/image account
WORKDIR /srv/portal/app
# By number, so that a cluster sees that it is not root.
USER 10001:10001
EXPOSE 8000
# Only for the web server; where the image runs a worker or a command, switch it off (deploy/compose.yaml).
HEALTHCHECK --interval=10s --timeout=4s --start-period=30s --retries=3 \
    CMD ["python", "-c", "from http.client import HTTPConnection as C; c = C('127.0.0.1', 8000, timeout=3); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
# A proxy that buffers belongs in front of it: alone, slow clients would occupy every thread.
# The root can be read-only: written are /tmp (large uploads, exports), /dev/shm (signs of life) and DATA_DIR.
CMD ["python", "-m", "gunicorn", "competition_portal.wsgi:application", "--config", "deploy/gunicorn.conf.py", \
     "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket", \
     "--worker-tmp-dir", "/dev/shm", "--access-logfile", "-"]
