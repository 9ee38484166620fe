# animerun-gen, Blender and Dask for a cluster, or for a machine without Debian:
#   docker build -t animerun-gen .
#   docker run --rm -v "$PWD:/films" animerun-gen animerun-gen generate /films/cuts --out /films/dataset
FROM debian:12-slim
WORKDIR /opt/animerun-gen
COPY . .
RUN bash scripts/setup.sh && rm -rf /var/lib/apt/lists/* ~/.cache
ENV PATH=/opt/animerun-gen/.venv/bin:$PATH
CMD ["animerun-gen", "doctor"]
