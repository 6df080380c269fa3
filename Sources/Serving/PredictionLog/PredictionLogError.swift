package import Core

/// Why a prediction could not be logged.
package enum PredictionLogError: Error, Sendable, Equatable, CustomStringConvertible {
    /// More came than could be written, and the buffer is full: try again shortly.
    case busy
    /// The disk is full. The log goes on by itself when there is room again.
    case full
    /// Writing or making durable has failed. Nothing is acknowledged any more until the log is opened anew.
    case failed(MartletError)
    /// The log is closed.
    case closed
    /// The record can never be taken: it is larger than the buffer, or one of its texts is longer than 65,535 bytes.
    case tooLarge
    /// The record's source was not registered with this log.
    case unknownSource

    package var description: String { error.description }

    /// The error as a ``MartletError`` with code, message and remedy.
    package var error: MartletError {
        switch self {
        case .busy:
            MartletError(
                .machine, "predictions.busy", "The prediction log cannot keep up.",
                remedy: "Send the request again shortly.")
        case .full:
            MartletError(
                .machine, "predictions.full", "The prediction log has no room: the disk is full.",
                remedy: "Free some space; the log goes on by itself.")
        case .failed(let cause):
            MartletError(
                .machine, "predictions.failed", "The prediction log has stopped: \(cause.message)",
                remedy: "Check the disk, then start the server again: what was logged is recovered.")
        case .closed: MartletError(.conflict, "predictions.closed", "The prediction log is closed.")
        case .tooLarge:
            MartletError(
                .input, "predictions.too-large", "The predictions are too large for the log.",
                remedy: "Send fewer rows at once, or more of them as a batch.")
        case .unknownSource:
            MartletError(
                .defect, "predictions.unknown-source", "A prediction names a model that its log was not told of.")
        }
    }
}
