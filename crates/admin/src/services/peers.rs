//! Who is there.

use tonic::{Request, Response, Status};

use super::{Services, Stream};
use crate::v1::peers_server::Peers;
use crate::v1::{
    Capability, Evidence, ListCapabilitiesRequest, ListEvidenceRequest, ListPeersRequest, Peer,
    PeerName,
};

#[tonic::async_trait]
impl Peers for Services {
    type ListStream = Stream<Peer>;
    type CapabilitiesStream = Stream<Capability>;
    type EvidenceStream = Stream<Evidence>;

    async fn list(
        &self,
        _: Request<ListPeersRequest>,
    ) -> Result<Response<Self::ListStream>, Status> {
        let mut peers = self.answered(self.backend.peers()).await?;
        peers.sort_by(|left, right| order(left.name.as_ref()).cmp(&order(right.name.as_ref())));
        Ok(self.listing(peers))
    }

    async fn capabilities(
        &self,
        _: Request<ListCapabilitiesRequest>,
    ) -> Result<Response<Self::CapabilitiesStream>, Status> {
        let mut capabilities = self.answered(self.backend.capabilities()).await?;
        capabilities
            .sort_by(|left, right| order(left.peer.as_ref()).cmp(&order(right.peer.as_ref())));
        Ok(self.listing(capabilities))
    }

    async fn evidence(
        &self,
        _: Request<ListEvidenceRequest>,
    ) -> Result<Response<Self::EvidenceStream>, Status> {
        let mut evidence = self.answered(self.backend.evidence()).await?;
        evidence.sort_by(|left, right| left.digest.cmp(&right.digest));
        Ok(self.listing(evidence))
    }
}

/// By log id; a peer without one comes first, by its key.
fn order(name: Option<&PeerName>) -> Option<(&str, &str)> {
    name.map(|name| (name.log_id.as_str(), name.did_key.as_str()))
}
