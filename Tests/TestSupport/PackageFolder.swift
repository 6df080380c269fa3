import Foundation

/// The folder of this package, for tests that use its scripts and fixtures.
package let packageFolder: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.path
}()
