use core::str::FromStr;
use std::net::SocketAddr;

use ::http::uri::PathAndQuery;
use prost::Message;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::{AsciiMetadataKey, MetadataMap},
    transport::Endpoint,
};
use tonic_prost::ProstCodec;

/// What a server answered over gRPC: the message, or why there is none.
pub(crate) type GrpcAnswer<M> = Result<M, Status>;

/// Calls the method `path`, such as `/package.Service/Method`, on a connection of its own.
#[track_caller]
pub(crate) fn grpc<Q, A>(
    address: SocketAddr,
    path: &str,
    metadata: &[(&str, &str)],
    request: Q,
) -> GrpcAnswer<A>
where
    Q: Message + Send + Sync + 'static,
    A: Message + Default + Send + Sync + 'static,
{
    let mut request = Request::new(request);
    *request.metadata_mut() = metadata
        .iter()
        .map(|(name, value)| {
            (
                AsciiMetadataKey::from_str(name).unwrap(),
                value.parse().unwrap(),
            )
        })
        .fold(MetadataMap::new(), |mut all, (name, value)| {
            all.append(name, value);
            all
        });
    let call = async {
        let channel = Endpoint::from_shared(format!("http://{address}"))
            .unwrap()
            .connect()
            .await
            .unwrap();
        let mut client = Grpc::new(channel)
            .max_decoding_message_size(usize::MAX)
            .max_encoding_message_size(usize::MAX);
        client.ready().await.unwrap();
        let path = PathAndQuery::from_str(path).unwrap();
        let answer = client.unary(request, path, ProstCodec::<Q, A>::default());
        match tokio::time::timeout(core::time::Duration::from_secs(60), answer).await {
            Ok(answer) => answer.map(tonic::Response::into_inner),
            Err(_elapsed) => Err(Status::new(
                Code::DeadlineExceeded,
                "the test waited too long",
            )),
        }
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(call)
}
