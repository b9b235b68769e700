//! The configuration of nginx: `docs/deployment.md`, on loopback.

use std::{fmt::Write as _, path::Path};

/// Returns the configuration for a port and the ports of the nodes. Everything that nginx writes is in `folder`.
pub(super) fn config(port: u16, nodes: &[u16], folder: &Path) -> String {
    let folder = folder.display();
    let mut temporary = String::new();
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        // Writing to a string does not fail.
        _ = writeln!(temporary, "    {kind}_temp_path \"{folder}/{kind}\";");
    }
    let mut servers = String::new();
    for node in nodes {
        _ = writeln!(servers, "        server 127.0.0.1:{node} max_fails=1 fail_timeout=1s;");
    }
    format!(
        "\
daemon off;
master_process off;
pid \"{folder}/nginx.pid\";
error_log stderr warn;
events {{
    worker_connections 4096;
}}
http {{
    access_log off;
{temporary}
    map $http_upgrade $connection_upgrade {{
        default upgrade;
        ''      '';
    }}

    upstream nodes {{
        least_conn;
{servers}    }}

    server {{
        listen 127.0.0.1:{port};

        location / {{
            proxy_pass http://nodes;
            proxy_http_version 1.1;
            proxy_set_header Upgrade $http_upgrade;
            proxy_set_header Connection $connection_upgrade;
            # With the port, which is part of the page's origin.
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;
            # More than the time between two pings.
            proxy_read_timeout 60s;
            proxy_send_timeout 60s;
            # A node that drains refuses upgrades with 503: try the next one.
            proxy_next_upstream error timeout http_503;
            proxy_connect_timeout 1s;
        }}
    }}
}}
"
    )
}
