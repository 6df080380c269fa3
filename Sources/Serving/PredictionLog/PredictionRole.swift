/// Whether a prediction was an answer.
package enum PredictionRole: String, Sendable {
    /// The client was answered with it.
    case answering
    /// It was made beside the answer, by an arm that is only watched.
    case shadow
}
