//! What the OpenAPI document says of all operations alike, beside what each says of itself: how to sign in, how errors
//! look, that changes can carry an idempotency key.

use super::idempotency;
use crate::http::error::Problem;
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, ResponseBuilder};

const SCHEME: &str = "token";

#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Cadenza",
        description = "Everything that Cadenza's pages do, for programs. Errors are problem+json (RFC 9457) with a stable \
                       `code`. Lists are read page by page: pass `next` of one answer as `after` of the next request. Ids are \
                       prefixed strings, times RFC 3339 in UTC. The rules and examples are in `docs/api.md`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem))
)]
struct Document;

/// The whole document, from what the routes say of themselves.
pub fn document(paths: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi().nest("/api/v1", paths);
    for item in document.paths.paths.values_mut() {
        for (operation, changes) in operations(item) {
            finish(operation, changes);
        }
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("cdz_…")
        .description(Some("A token of Settings → Tokens, or of `POST /api/v1/tokens`."))
        .build();
    document.components.get_or_insert_default().add_security_scheme(SCHEME, SecurityScheme::Http(bearer));
    document.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
    document
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Changes {
    Nothing,
    Something,
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&mut Operation, Changes)> {
    let changing = [&mut item.put, &mut item.post, &mut item.patch, &mut item.delete];
    let changing = changing.into_iter().flatten().map(|o| (o, Changes::Something));
    item.get.iter_mut().map(|o| (o, Changes::Nothing)).chain(changing)
}

fn finish(operation: &mut Operation, changes: Changes) {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let failed = ResponseBuilder::new()
        .description("It was not done; `code` says why.")
        .content("application/problem+json", problem)
        .build();
    operation.responses.responses.insert("default".to_owned(), failed.into());
    if changes == Changes::Something {
        operation.parameters.get_or_insert_default().push(key_header().into());
    }
}

fn key_header() -> Parameter {
    ParameterBuilder::new()
        .name(idempotency::KEY.as_str())
        .parameter_in(ParameterIn::Header)
        .required(utoipa::openapi::Required::False)
        .description(Some("1 to 255 visible ASCII characters. The same request with the same key is done once."))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}
