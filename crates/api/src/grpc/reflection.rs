use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};
use tonic::codec::CompressionEncoding;
use tonic_reflection::{
    pb,
    server::{Builder, v1, v1alpha},
};

use super::GrpcService;
use crate::proto::FILE_DESCRIPTOR_SET;

/// gRPC server reflection: which services a port has, and what their messages look like.
///
/// Both versions of the protocol are to be mounted, for many clients know only the older one. They
/// list themselves too. Calls of theirs are not counted, and they know nothing of the back end.
#[derive(Clone, Debug)]
pub struct Reflection {
    names: Vec<String>,
    files: FileDescriptorSet,
}

impl Reflection {
    /// Tells of `services`, by their full names: those that are mounted on the same port.
    #[must_use]
    pub fn of<'a>(services: impl IntoIterator<Item = &'a str>) -> Self {
        let mut names: Vec<String> = services.into_iter().map(str::to_owned).collect();
        let mut files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).expect("compiled with us");
        files.file.retain(|file| is_needed(file, &names));
        names.extend(
            [
                pb::v1::server_reflection_server::SERVICE_NAME,
                pb::v1alpha::server_reflection_server::SERVICE_NAME,
            ]
            .map(str::to_owned),
        );
        Self { names, files }
    }

    /// `grpc.reflection.v1.ServerReflection`.
    #[must_use]
    pub fn v1(&self) -> GrpcService<v1::ServerReflectionServer<impl v1::ServerReflection + use<>>> {
        let server = self.builder().build_v1().expect("compiled with us");
        GrpcService::new(
            server
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip),
        )
    }

    /// `grpc.reflection.v1alpha.ServerReflection`.
    #[must_use]
    pub fn v1alpha(
        &self,
    ) -> GrpcService<v1alpha::ServerReflectionServer<impl v1alpha::ServerReflection + use<>>> {
        let server = self.builder().build_v1alpha().expect("compiled with us");
        GrpcService::new(
            server
                .accept_compressed(CompressionEncoding::Gzip)
                .send_compressed(CompressionEncoding::Gzip),
        )
    }

    fn builder(&self) -> Builder<'static> {
        let builder = Builder::configure()
            .register_file_descriptor_set(self.files.clone())
            .register_encoded_file_descriptor_set(pb::v1::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(pb::v1alpha::FILE_DESCRIPTOR_SET);
        self.names.iter().fold(builder, Builder::with_service_name)
    }
}

/// A file is of use when it has one of the services, or has none and so only messages.
fn is_needed(file: &FileDescriptorProto, names: &[String]) -> bool {
    file.service.is_empty()
        || file
            .service
            .iter()
            .any(|service| names.contains(&format!("{}.{}", file.package(), service.name())))
}
