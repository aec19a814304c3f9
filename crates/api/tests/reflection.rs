//! Server reflection, over a real connection.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::collections::BTreeSet;

use fulcio_api::{Reflection, Serving, proto::FILE_DESCRIPTOR_SET};
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use support::{FakeBackend, Fixture};
use tokio::net::TcpListener;
use tonic::{
    Code, Status,
    codegen::tokio_stream,
    server::NamedService,
    transport::{Channel, Server, server::TcpIncoming},
};
use tonic_reflection::pb::{v1, v1alpha};

const V1: &str = "grpc.reflection.v1.ServerReflection";
const V1ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";
const AUTHORITY: &str = "dev.sigstore.fulcio.v2.CA";
const LEGACY: &str = "dev.sigstore.fulcio.v1beta.CA";
const HEALTH: &str = "grpc.health.v1.Health";

fn name<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

/// A port that serves the authority, health, the legacy authority when `legacy`, and reflection.
async fn port(legacy: bool) -> Channel {
    let fixture = Fixture::new(FakeBackend::issuing());
    let (authority, health) = (
        fixture.grpc.authority(),
        fixture.grpc.health(&Serving::new()),
    );
    let legacy = legacy.then(|| fixture.grpc.legacy_authority());
    let names = [name(&authority), name(&health)];
    let reflection = Reflection::of(names.into_iter().chain(legacy.as_ref().map(name)));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = Server::builder()
        .add_service(authority)
        .add_service(health)
        .add_optional_service(legacy)
        .add_service(reflection.v1())
        .add_service(reflection.v1alpha());
    tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
    Channel::from_shared(format!("http://{address}"))
        .unwrap()
        .connect()
        .await
        .unwrap()
}

async fn ask(
    channel: &Channel,
    request: v1::server_reflection_request::MessageRequest,
) -> Result<v1::server_reflection_response::MessageResponse, Status> {
    let mut client = v1::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let request = v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(request),
    };
    let answers = client.server_reflection_info(tokio_stream::once(request));
    let answer = answers.await?.into_inner().message().await?;
    Ok(answer.unwrap().message_response.unwrap())
}

async fn services(channel: &Channel) -> BTreeSet<String> {
    use v1::{
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let request = MessageRequest::ListServices(String::new());
    match ask(channel, request).await.unwrap() {
        MessageResponse::ListServicesResponse(list) => list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect(),
        other => panic!("{other:?}"),
    }
}

async fn services_by_v1alpha(channel: &Channel) -> BTreeSet<String> {
    use v1alpha::{
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let mut client =
        v1alpha::server_reflection_client::ServerReflectionClient::new(channel.clone());
    let request = v1alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let answers = client.server_reflection_info(tokio_stream::once(request));
    let answer = answers.await.unwrap().into_inner().message().await.unwrap();
    match answer.unwrap().message_response.unwrap() {
        MessageResponse::ListServicesResponse(list) => list
            .service
            .into_iter()
            .map(|service| service.name)
            .collect(),
        other => panic!("{other:?}"),
    }
}

async fn file_of(channel: &Channel, symbol: &str) -> Result<FileDescriptorProto, Status> {
    use v1::{
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let request = MessageRequest::FileContainingSymbol(symbol.into());
    match ask(channel, request).await? {
        MessageResponse::FileDescriptorResponse(files) => {
            let file = files.file_descriptor_proto[0].as_slice();
            Ok(FileDescriptorProto::decode(file).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_port_lists_the_services_that_it_has() {
    for (legacy, expected) in [
        (false, &[AUTHORITY, HEALTH, V1, V1ALPHA][..]),
        (true, &[AUTHORITY, HEALTH, LEGACY, V1, V1ALPHA]),
    ] {
        let channel = port(legacy).await;
        let expected: BTreeSet<_> = expected.iter().map(|&name| name.to_owned()).collect();
        assert_eq!(services(&channel).await, expected);
        assert_eq!(services_by_v1alpha(&channel).await, expected);
    }
}

#[tokio::test]
async fn what_is_listed_can_be_described() {
    let compiled = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let channel = port(true).await;
    for service in services(&channel).await {
        let file = file_of(&channel, &service).await.unwrap();
        if !service.starts_with("grpc.reflection.") {
            assert!(compiled.contains(&file), "{service}");
        }
    }
    let message = "dev.sigstore.fulcio.v2.CreateSigningCertificateRequest";
    let file = file_of(&channel, message).await.unwrap();
    assert_eq!(file.name(), "fulcio.proto");
}

#[tokio::test]
async fn what_is_not_served_is_not_described() {
    let channel = port(false).await;
    for symbol in [
        LEGACY,
        "dev.sigstore.fulcio.v1beta.PublicKey",
        "no.such.Service",
    ] {
        let status = file_of(&channel, symbol).await.unwrap_err();
        assert_eq!(status.code(), Code::NotFound, "{symbol}");
    }
}
