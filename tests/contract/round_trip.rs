//! Export, then import: nothing of a spec is lost, through YAML text as in a file.

use dataproduct_operator::{
    api::{DataProduct, ID},
    contract::{Chosen, Notes, export, import, odcs::Contract, unread_contract},
};
use kube::ResourceExt;
use proptest::prelude::*;

use crate::{any, schema};

/// A contract as it stands in a file, read again.
fn through_a_file(contract: &Contract) -> (String, Contract) {
    let text = serde_saphyr::to_string(contract).expect("a contract is YAML");
    let read = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    (text, read)
}

fn back(product: &DataProduct) -> (String, DataProduct, Notes) {
    let contract = export(product, &mut Notes::default()).expect("a product has a contract");
    let (text, read) = through_a_file(&contract);
    let mut notes = Notes::default();
    let back =
        import(&read, &Chosen::default(), &mut notes).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let document = serde_saphyr::from_str(&text).expect("YAML");
    unread_contract(&document, &read, &mut notes).expect("a contract is JSON");
    (text, back, notes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 768, ..ProptestConfig::default() })]

    #[test]
    fn a_product_survives_its_contract_and_the_contract_is_legal(product in any::product()) {
        let (text, back, notes) = back(&product);
        prop_assert_eq!(&back.spec, &product.spec, "{}", text);
        prop_assert_eq!(&back.metadata, &product.metadata, "{}", text);
        prop_assert!(notes.0.is_empty(), "{:?}\n{}", notes, text);
        prop_assert_eq!(schema::faults(&text), Vec::<String>::new(), "{}", text);
    }
}

#[test]
fn a_chosen_identifier_is_kept_and_the_derived_one_needs_no_annotation() {
    let text = include_str!("../../examples/customer-360.yaml");
    let mut product: DataProduct = serde_saphyr::from_str(text).expect("an example");
    assert!(back(&product).1.annotations().is_empty());
    product.annotations_mut().insert(ID.to_owned(), "53581432-6c55-4ba2-a65f-72344a91553a".to_owned());
    let (text, back, _) = back(&product);
    assert!(text.contains("id: 53581432-6c55-4ba2-a65f-72344a91553a"), "{text}");
    assert_eq!(back.metadata, product.metadata);
}

#[test]
fn whoever_edits_a_contract_edits_the_product() {
    let text = include_str!("../../examples/customer-360.yaml");
    let product: DataProduct = serde_saphyr::from_str(text).expect("an example");
    let contract = export(&product, &mut Notes::default()).expect("a contract");
    let (text, _) = through_a_file(&contract);
    // Each edit is of a place where the standard has it, beside our custom properties.
    let edits = [
        ("  value: 99.9\n", "  value: 95\n", "target: 95%"),
        ("  unit: hour\n", "  unit: days\n", "target: 1 days"),
        ("  unit: hours\n", "  unit: days\n", "max_age: 2 days"),
        ("maximum: 10000000", "maximum: 5", "max: 5"),
        ("channel_code", "other_code", "reference: dim_channels.other_code"),
        ("database: customer_domain", "database: elsewhere", "database: elsewhere"),
        ("access: write", "access: read", "name: customer_data_admin\n      permissions:\n      - SELECT\n"),
        ("- organic\n", "- print\n", "- print\n"),
    ];
    for (old, new, expected) in edits {
        let edited = text.replacen(old, new, 1);
        assert_ne!(edited, text, "{old:?} is not in\n{text}");
        let contract: Contract =
            serde_saphyr::from_str(&edited).unwrap_or_else(|error| panic!("{error}\n{edited}"));
        let product = import(&contract, &Chosen::default(), &mut Notes::default()).expect("a product");
        let product = serde_saphyr::to_string(&product).expect("YAML");
        assert!(product.contains(expected), "{new:?} does not give {expected:?} in\n{product}\nof\n{edited}");
    }
}
