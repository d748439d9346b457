# syntax=docker/dockerfile:1
# VoiceFactory on a host with NVIDIA cards; docs/operations.md says how to run it. Without a card it works on the CPU.

FROM python:3.11-slim-bookworm AS build
# CUDA comes with torch. This one brings CUDA 12.8 with cuBLAS and cuDNN 9, which Whisper's runtime needs, too.
ARG TORCH="torch==2.9.1 torchaudio==2.9.1"
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
# hadolint ignore=SC2086
RUN python -m venv /opt/venv && /opt/venv/bin/pip install ${TORCH}
COPY requirements.txt /tmp/requirements.txt
# hadolint ignore=SC2086
RUN /opt/venv/bin/pip install ${TORCH} -r /tmp/requirements.txt
COPY . /app
RUN /opt/venv/bin/pip install --no-deps -e /app

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 voicefactory \
 && install -d -o voicefactory -g voicefactory /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
ENV PATH=/opt/venv/bin:$PATH \
    LD_LIBRARY_PATH=/opt/venv/lib/python3.11/site-packages/nvidia/cublas/lib:/opt/venv/lib/python3.11/site-packages/nvidia/cudnn/lib \
    PYTHONUNBUFFERED=1 \
    VOICEFACTORY_HOME=/data/voicefactory \
    HF_HOME=/data/huggingface \
    GRADIO_SERVER_NAME=0.0.0.0 \
    GRADIO_SERVER_PORT=7860 \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
WORKDIR /app
USER 10001
VOLUME /data
EXPOSE 7860
# The app closes the page, lets workers save, and ends with 0.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s --start-period=120s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=8)"]
CMD ["python", "app.py"]
