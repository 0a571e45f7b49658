//! A root certificate of our own and a server's certificate under it, fresh for every test, for servers that run inside
//! the test. Made by the `openssl` program, as an administrator of a private relay would.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

pub struct Certificates {
    folder: PathBuf,
}

impl Certificates {
    /// For `localhost` and 127.0.0.1.
    pub fn make() -> Certificates {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let unique = format!("certificates-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(unique);
        std::fs::create_dir_all(&folder).unwrap();
        let made = Certificates { folder };
        made.openssl("root", &["-subj", "/CN=Root of a test", "-addext", "keyUsage=critical,keyCertSign"]);
        made.openssl(
            "server",
            &[
                "-subj",
                "/CN=localhost",
                "-CA",
                "root.pem",
                "-CAkey",
                "root.key",
                "-addext",
                "basicConstraints=critical,CA:FALSE",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
            ],
        );
        made
    }

    /// What a client must trust, as PEM.
    pub fn root_pem(&self) -> Vec<u8> {
        std::fs::read(self.folder.join("root.pem")).unwrap()
    }

    /// The file that it is in.
    pub fn root_file(&self) -> PathBuf {
        self.folder.join("root.pem")
    }

    pub fn server_config(&self) -> Arc<rustls::ServerConfig> {
        let chain = CertificateDer::pem_file_iter(self.folder.join("server.pem")).unwrap();
        let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
        let key = PrivateKeyDer::from_pem_file(self.folder.join("server.key")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .unwrap();
        Arc::new(config)
    }

    fn openssl(&self, name: &str, arguments: &[&str]) {
        let output = Command::new("openssl")
            .current_dir(&self.folder)
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-keyout", &format!("{name}.key"), "-out", &format!("{name}.pem")])
            .args(arguments)
            .output()
            .expect("openssl is installed (Debian: openssl)");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
