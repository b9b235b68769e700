//! How the traffic between nodes grows.
