internal import Core
internal import NIOSSL
internal import Storage
internal import Synchronization

/// A server's TLS certificate chain and private key from PEM files, reloadable while it runs.
///
/// ```swift
/// let files = try CertificateFiles(certificate: "server.pem", key: "server.key")
/// let hasChanged = try files.reload()
/// ```
package final class CertificateFiles: Sendable {
    private struct Held {
        var context: NIOSSLContext
        var digest: Digest
    }

    private let certificate: String
    private let key: String
    private let held: Mutex<Held>

    /// Loads the files.
    /// - Parameters:
    ///   - certificate: the file of the server's certificate, followed by those that lead to a known authority.
    ///   - key: the file of its private key, without a password.
    /// - Throws: `tls.certificate`, `tls.key`, `tls.key-mismatch`.
    package init(certificate: String, key: String) throws {
        self.certificate = certificate
        self.key = key
        held = Mutex(try Self.load(certificate, key))
    }

    /// What new connections use.
    var context: NIOSSLContext { held.withLock { $0.context } }

    /// Reloads the files if they have changed; blocks on the disk. Unusable files leave the old ones in use.
    /// - Returns: whether they had changed.
    package func reload() throws -> Bool {
        let digest = Digest(of: try Disk.read(certificate) + Disk.read(key))
        if held.withLock({ $0.digest == digest }) { return false }
        let next = try Self.load(certificate, key)
        held.withLock { $0 = next }
        return true
    }

    private static func load(_ certificatePath: String, _ keyPath: String) throws -> Held {
        let remedy = "Give PEM files: `--tls-certificate fullchain.pem --tls-key privkey.pem`."
        func bytes(_ path: String, _ code: String) throws -> [UInt8] {
            do { return try Disk.read(path) } catch {
                throw MartletError(
                    .input, code, "This file cannot be read.", at: .init(file: path), remedy: remedy)
            }
        }
        let (chainBytes, keyBytes) = (try bytes(certificatePath, "tls.certificate"), try bytes(keyPath, "tls.key"))
        guard let chain = try? NIOSSLCertificate.fromPEMBytes(chainBytes), !chain.isEmpty else {
            throw MartletError(
                .input, "tls.certificate", "This file holds no certificate in PEM form.",
                at: .init(file: certificatePath), remedy: remedy)
        }
        guard let key = try? NIOSSLPrivateKey(bytes: keyBytes, format: .pem) else {
            throw MartletError(
                .input, "tls.key", "This file holds no private key in PEM form, or one with a password.",
                at: .init(file: keyPath), remedy: remedy)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // Of TLS 1.2 only what has forward secrecy and authenticated encryption (RFC 9325, section 4.2).
        configuration.cipherSuites =
            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
            + "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
        configuration.applicationProtocols = ["http/1.1"]
        do {
            return Held(
                context: try NIOSSLContext(configuration: configuration),
                digest: Digest(of: chainBytes + keyBytes))
        } catch {
            throw MartletError(
                .input, "tls.key-mismatch", "The key does not belong to the certificate in \(certificatePath).",
                at: .init(file: keyPath), remedy: "Use the key that the certificate was made for.")
        }
    }
}
