# syntax=docker/dockerfile:1
# The image of the operator: one program and the C library, no shell, nobody's root.
#   docker build --tag dataproduct-operator:0.1.0 .

# The version of rust-toolchain.toml; a test holds them together.
ARG RUST_VERSION=1.95.0
# Has glibc, libgcc and the certificates of public authorities. A mirror or a digest can be given instead.
ARG RUNTIME=gcr.io/distroless/cc-debian12:nonroot

FROM rust:${RUST_VERSION}-slim-bookworm AS tools
# Dependencies are built in a layer of their own, and their list becomes part of the program, where scanners find it.
RUN cargo install --locked cargo-chef@0.1.78 cargo-auditable@0.7.7
WORKDIR /build
# Linked as a whole, which takes minutes and makes judging faster; without debug information.
ENV CARGO_PROFILE_RELEASE_LTO=thin \
    CARGO_PROFILE_RELEASE_STRIP=debuginfo

FROM tools AS recipe
COPY Cargo.toml Cargo.lock ./
COPY src src
RUN cargo chef prepare --bin dataproduct --recipe-path recipe.json

FROM tools AS build
COPY --from=recipe /build/recipe.json recipe.json
# Changes only with the dependencies, so that it is seldom built anew.
RUN cargo chef cook --release --locked --bin dataproduct --recipe-path recipe.json
COPY Cargo.toml Cargo.lock ./
COPY src src
RUN cargo auditable build --release --locked --bin dataproduct

FROM ${RUNTIME}
LABEL org.opencontainers.image.title="dataproduct-operator" \
      org.opencontainers.image.description="A Kubernetes operator for the data products of a data mesh" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /build/target/release/dataproduct /usr/local/bin/dataproduct
# A number, because Kubernetes cannot tell of a name whether it is root.
USER 65532:65532
EXPOSE 8080 8081 9443
ENTRYPOINT ["/usr/local/bin/dataproduct"]
CMD ["run"]
