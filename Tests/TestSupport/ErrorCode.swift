internal import Core

/// The code of the `MartletError` that `body` throws, or what happened instead.
package func code(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "no error"
    } catch let error as MartletError {
        return error.code
    } catch {
        return "another error: \(error)"
    }
}
