//! SoftHSM 2, a token in software, in a folder and a process of each test's own: the module reads
//! its configuration from the environment, and a test may lock or lose a token that is its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use gangplank_client::key::{Backend, Zeroizing};
use gangplank_client::pkcs11::{KeyUri, Pin, Pkcs11Error, Pkcs11Key};

pub const PIN: &str = "1234";
/// prime256v1, secp384r1 and edwards25519 as CKA_EC_PARAMS has them.
pub const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
pub const P384: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x22";
pub const ED25519: &[u8] = b"\x13\x0cedwards25519";

/// Runs `body` in a process of its own, with an empty folder for tokens. Without SoftHSM it prints a
/// line.
pub fn inside(test: &str, body: impl FnOnce(&Hsm)) {
    let Some(module) = module() else {
        println!("{test} not run: SoftHSM is absent");
        return;
    };
    if let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) {
        body(&Hsm::new(module, folder.clone()));
        std::fs::write(folder.join("done"), "").unwrap();
        return;
    }
    let folder = gangplank_testkit::temp_dir();
    let tokens = folder.path().join("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config = folder.path().join("softhsm2.conf");
    let text = format!(
        "directories.tokendir = {}\nlog.level = ERROR\n",
        tokens.display()
    );
    std::fs::write(&config, text).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("SOFTHSM2_CONF", config)
        .env(FOLDER, folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{test}: {}", output.status);
    // A name that is not the test's own would run nothing and succeed.
    assert!(folder.path().join("done").exists(), "{test} is no test");
}

fn module() -> Option<PathBuf> {
    let places = [
        "/usr/lib/softhsm/libsofthsm2.so",
        "/usr/lib64/pkcs11/libsofthsm2.so",
        "/usr/local/lib/softhsm/libsofthsm2.so",
        "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    ];
    places.iter().map(PathBuf::from).find(|path| path.exists())
}

pub struct Hsm {
    pub module: PathBuf,
    pub folder: PathBuf,
    pub pkcs11: Pkcs11,
}

impl Hsm {
    fn new(module: PathBuf, folder: PathBuf) -> Self {
        let pkcs11 = Pkcs11::new(&module).unwrap();
        let hsm = Self {
            module,
            folder,
            pkcs11,
        };
        hsm.start();
        hsm
    }

    pub fn start(&self) {
        let started = self
            .pkcs11
            .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK));
        assert!(matches!(
            started,
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _))
        ));
    }

    /// Makes a token with the PIN [`PIN`], and works in it. Afterwards nobody is logged in.
    pub fn new_token<T>(&self, label: &str, work: impl FnOnce(&Session) -> T) -> T {
        let free = self.pkcs11.get_slots_with_token().unwrap();
        let is_free = |slot: &Slot| {
            !self
                .pkcs11
                .get_token_info(*slot)
                .unwrap()
                .token_initialized()
        };
        let slot = free.into_iter().find(is_free).unwrap();
        let officer = AuthPin::from("officer".to_owned());
        self.pkcs11.init_token(slot, &officer, label).unwrap();
        let session = self.pkcs11.open_rw_session(slot).unwrap();
        session.login(UserType::So, Some(&officer)).unwrap();
        session.init_pin(&AuthPin::from(PIN.to_owned())).unwrap();
        drop(session);
        // SoftHSM offers another free slot only after it has started again.
        self.pkcs11.clone().finalize().unwrap();
        self.start();
        self.in_token(label, PIN, work)
    }

    /// Works in a token that is there.
    pub fn in_token<T>(&self, label: &str, pin: &str, work: impl FnOnce(&Session) -> T) -> T {
        let session = self.pkcs11.open_rw_session(self.slot(label)).unwrap();
        match session.login(UserType::User, Some(&AuthPin::from(pin.to_owned()))) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => panic!("{error}"),
        }
        work(&session)
    }

    pub fn slot(&self, label: &str) -> Slot {
        let slots = self.pkcs11.get_slots_with_token().unwrap();
        let is_it = |slot: &Slot| self.pkcs11.get_token_info(*slot).unwrap().label() == label;
        slots.into_iter().find(is_it).unwrap()
    }

    pub fn uri(&self, path: &str) -> KeyUri {
        KeyUri::parse(&format!(
            "pkcs11:{path}?module-path={}",
            self.module.display()
        ))
        .unwrap()
    }

    /// Opens with the right PIN.
    pub fn open(&self, path: &str) -> Result<Pkcs11Key, Pkcs11Error> {
        self.open_with(path, Some(PIN))
    }

    pub fn open_with(&self, path: &str, pin: Option<&str>) -> Result<Pkcs11Key, Pkcs11Error> {
        Pkcs11Key::open(&self.uri(path), pin.map(secret), Backend::PURE_RUST)
    }

    pub fn write(&self, name: &str, contents: &[u8]) -> String {
        let path = self.folder.join(name);
        std::fs::write(&path, contents).unwrap();
        text(&path)
    }

    /// Imports a private key file with SoftHSM's own tool, if that is there.
    pub fn import(&self, file: &str, token: &str, label: &str, id: &str) -> bool {
        let arguments = [
            "--import", file, "--token", token, "--label", label, "--id", id, "--pin", PIN,
        ];
        let ran = Command::new("softhsm2-util").args(arguments).output();
        let Ok(output) = ran else {
            println!("keys imported by softhsm2-util not checked: program absent");
            return false;
        };
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        // What another process wrote is seen after a start.
        self.pkcs11.clone().finalize().unwrap();
        self.start();
        true
    }
}

pub fn secret(pin: &str) -> Pin {
    Pin::new(Zeroizing::new(pin.to_owned()))
}

pub fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Makes a pair on an elliptic curve; gives the handles of public and private key.
pub fn curve_pair(
    session: &Session,
    curve: &[u8],
    label: &str,
    id: u8,
) -> (ObjectHandle, ObjectHandle) {
    let mechanism = match curve {
        ED25519 => Mechanism::EccEdwardsKeyPairGen,
        _ => Mechanism::EccKeyPairGen,
    };
    let mut public = public_template(label, id);
    public.push(Attribute::EcParams(curve.to_vec()));
    session
        .generate_key_pair(&mechanism, &public, &private_template(label, id))
        .unwrap()
}

pub fn rsa_pair(session: &Session, bits: u64, label: &str, id: u8) -> (ObjectHandle, ObjectHandle) {
    let mut public = public_template(label, id);
    public.push(Attribute::ModulusBits(bits.into()));
    public.push(Attribute::PublicExponent(vec![1, 0, 1]));
    let private = private_template(label, id);
    session
        .generate_key_pair(&Mechanism::RsaPkcsKeyPairGen, &public, &private)
        .unwrap()
}

pub fn public_template(label: &str, id: u8) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(false),
        Attribute::Verify(true),
        Attribute::Label(label.into()),
        Attribute::Id(vec![id]),
    ]
}

pub fn private_template(label: &str, id: u8) -> Vec<Attribute> {
    vec![
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Sign(true),
        Attribute::Label(label.into()),
        Attribute::Id(vec![id]),
    ]
}

const FOLDER: &str = "GANGPLANK_TEST_SOFTHSM";
