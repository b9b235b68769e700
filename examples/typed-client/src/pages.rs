//! The built page.

use std::{fs, io, path::Path};

use axum::{
    Router,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::IntoResponse as _,
    routing::{MethodRouter, get},
};
use bytes::Bytes;

const NOT_BUILT: &str = "The page is not built. Run this in the repository, and start the server again:

npm --prefix examples/typed-client/web install && npm --prefix examples/typed-client/web run build
";

/// Only scripts, styles and WebSockets of the same origin, and no framing of the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Serves the files that Vite wrote, or says how to build them.
///
/// The files are read once, so that no request can name any other. `ServeDir` of `tower-http` serves large folders.
pub(crate) fn router(dist: &Path) -> Router {
    match files(dist) {
        Ok(router) => router,
        Err(_) => Router::new().route("/", get((StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT))),
    }
}

fn files(dist: &Path) -> io::Result<Router> {
    // The page names its scripts and styles, whose own names change with their content.
    let mut router = Router::new().route("/", file("html", fs::read(dist.join("index.html"))?, "no-cache"));
    for entry in fs::read_dir(dist.join("assets"))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).filter(|name| !name.contains(['{', '}']));
        if let (Some(name), Some(extension)) = (name, path.extension().and_then(|extension| extension.to_str())) {
            let route = format!("/assets/{name}");
            router = router.route(&route, file(extension, fs::read(&path)?, "public, max-age=31536000, immutable"));
        }
    }
    Ok(router)
}

fn file(extension: &str, bytes: Vec<u8>, cache: &'static str) -> MethodRouter {
    let content_type = match extension {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let bytes = Bytes::from(bytes);
    get(async move || {
        let headers = [
            (CONTENT_TYPE, content_type),
            (CACHE_CONTROL, cache),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, bytes).into_response()
    })
}
