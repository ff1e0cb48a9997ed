#pragma once

#include <filesystem>

namespace backtest {

/// How the two ends of a connection prove themselves to each other, before anything else is read.
/// With the three TLS files: by certificates that the other side's authority signed. Without: by
/// the secret in a file of mode 0600, which is meant for one machine.
struct node_security {
  std::filesystem::path tls_certificate; ///< PEM, with the chain behind it
  std::filesystem::path tls_key;         ///< PEM, without a pass phrase
  std::filesystem::path tls_authority;   ///< PEM: who signed the certificates of the other side
  /// Empty: a node keeps it in its data directory and names it; who connects reads the file named.
  std::filesystem::path secret;
  /// A node may listen beyond loopback with nothing but the secret.
  bool insecure = false;

  bool has_certificates() const { return !tls_certificate.empty(); }
};

/// Throws `failure{invalid_argument}` for some of the TLS files without the others, and for a
/// secret beside them.
void require_consistent(const node_security& security);

} // namespace backtest
