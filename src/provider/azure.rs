//! Azure OpenAI: OpenAI's chat completions and Responses at the customer's own resource, by deployment.
//!
//! With `apiVersion`, the deployment is in the path; without it, the deployment is the model at the path `/openai/v1`.

use super::access::Access;
use super::chat::{Chat, Wire};
use super::endpoint::{Address, AddressError};
use super::refusal::Part;
use super::responses::Responses;
use super::spec::{Means, Spec, Vendor};

pub(super) const AZURE: Spec = Spec {
    name: "azure-openai",
    means: Means::Network(Vendor {
        // Every customer has their own address.
        address: "",
        address_variable: Some("AZURE_OPENAI_ENDPOINT"),
        key_variables: &["AZURE_OPENAI_API_KEY"],
        organization_variable: None,
        model: "my-deployment",
        dialect: &Chat { wire: &WIRE, seed: "/seed", caps: &[Part::MaxTokens, Part::MaxCompletionTokens] },
        responses: Some(&Responses { wire: &WIRE }),
    }),
};

const WIRE: Wire = Wire { address, key: |key| ("api-key", key.expose().to_owned()) };

/// The address of a resource.
pub fn resource(name: &str) -> String {
    format!("https://{}.openai.azure.com", name.trim())
}

fn address(access: &Access) -> Result<Address, AddressError> {
    let written = Address::parse(&access.base_url)?;
    let path = written.path().to_owned();
    let base = path.split("/openai").next().unwrap_or_default();
    let options = &access.options;
    match (&options.api_version, &options.deployment) {
        (Some(version), Some(deployment)) => {
            let path = format!("{base}/openai/deployments/{deployment}");
            Ok(written.at(&path).with("api-version", version))
        }
        // The deployment may also be in the configured path.
        (Some(version), None) if path.contains("/deployments/") => Ok(written.with("api-version", version)),
        (Some(_), None) => Err(written.wrong("`apiVersion` needs `deploymentName`")),
        (None, _) if path.contains("/deployments/") => Ok(written),
        (None, _) => Ok(written.at(&format!("{base}/openai/v1"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Options;

    #[test]
    fn a_resource_is_found_however_its_address_is_written() {
        let of = |base_url: &str, version: Option<&str>, deployment: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let options =
                Options { api_version: own(version), deployment: own(deployment), ..Options::default() };
            let access = Access { base_url: base_url.to_owned(), options, ..Access::default() };
            address(&access).map(|address| address.call("/chat/completions").to_string()).ok()
        };
        let (r, d) = ("https://r.openai.azure.com", Some("d"));
        let v1 = format!("{r}/openai/v1/chat/completions");
        let dated = format!("{r}/openai/deployments/d/chat/completions?api-version=2024-10-21");
        for written in
            [r.to_owned(), format!("{r}/"), format!("{r}/openai"), format!("{r}/openai/v1"), v1.clone()]
        {
            assert_eq!(of(&written, None, d).as_ref(), Some(&v1), "{written}");
            assert_eq!(of(&written, Some("2024-10-21"), d).as_ref(), Some(&dated), "{written}");
            assert_eq!(of(&written, Some("2024-10-21"), None), None, "{written}");
        }
        assert_eq!(of(&format!("{r}/openai/deployments/d"), Some("2024-10-21"), None), Some(dated.clone()));
        assert_eq!(of(&dated, None, None), Some(dated));
        let gateway = of("https://gate.example/azure", None, None);
        assert_eq!(gateway.as_deref(), Some("https://gate.example/azure/openai/v1/chat/completions"));
        assert_eq!(resource(" r "), r);
    }
}
