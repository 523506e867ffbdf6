use gangplank_benches::cases::Operation;
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyParam;
use openssl::x509::{X509, X509PurposeId, X509StoreContext};

use crate::Chain;

pub(crate) fn verify(chain: &Chain) -> Operation<'_> {
    let mut store = X509StoreBuilder::new().unwrap();
    store
        .add_cert(X509::from_der(&chain.root).unwrap())
        .unwrap();
    let mut parameters = X509VerifyParam::new().unwrap();
    parameters.set_purpose(X509PurposeId::SSL_CLIENT).unwrap();
    store.set_param(&parameters).unwrap();
    let store = store.build();
    Box::new(move || {
        let leaf = X509::from_der(&chain.leaf).unwrap();
        let mut intermediates = Stack::new().unwrap();
        let intermediate = X509::from_der(&chain.intermediate).unwrap();
        intermediates.push(intermediate).unwrap();
        let mut context = X509StoreContext::new().unwrap();
        let verified = context
            .init(&store, &leaf, &intermediates, |context| {
                context.verify_cert()
            })
            .unwrap();
        assert!(verified);
    })
}
