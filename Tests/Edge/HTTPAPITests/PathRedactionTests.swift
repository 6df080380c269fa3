import Core
import HTTPAPI
import HTTPTypes
import Testing

@Suite struct `Paths of the server` {
    init() { PathRedaction.hide(below: ["/projects/lab", "/projects/lab/.martlet", "relative", "/"]) }

    @Test(arguments: [
        ("Nothing has been run in /projects/lab yet.", "Nothing has been run in the project's folder yet."),
        (
            "Could not write /projects/lab/.martlet/predictions/a.segment: the disk is full.",
            "Could not write predictions/a.segment: the disk is full."
        ),
        ("/projects/lab/.martlet", "the project's folder"), ("See /projects/lab/martlet.yaml.", "See martlet.yaml."),
        ("/projects/laboratory/x is another", "/projects/laboratory/x is another"),
        ("The program /opt/martlet/bin/martlet cannot be started", "The program martlet cannot be started"),
        ("(/tmp/x/y) and \"/home/ada/z\"", "(y) and \"z\""), ("/var/lib/", "lib"),
        ("There is no route /api/models/x/deploy.", "There is no route /api/models/x/deploy."),
        ("20 mg/dl, 3/4, a/b/c, text/csv, /predict", "20 mg/dl, 3/4, a/b/c, text/csv, /predict"),
        ("https://example.org/tmp/x", "https://example.org/tmp/x"), ("/tmp", "/tmp"), ("", ""), ("/", "/"),
        ("//", "//"),
    ])
    func `are not in its answers`(_ text: String, _ shown: String) {
        #expect(PathRedaction.redact(text) == shown)
        let problem = Problem(MartletError(.machine, "disk.failed", text, remedy: text))
        #expect(problem.detail == shown && problem.remedy == shown)
    }

    @Test(arguments: ["predictions.full", "predictions.busy", "disk.full", "metadata.busy", "metadata.full"])
    func `what passes by itself says after how many seconds to ask again`(_ code: String) {
        let problem = Problem(MartletError(.machine, code, "Later."))
        #expect(problem.status == .serviceUnavailable && problem.retryAfter.map { $0 > 0 } == true)
        #expect(Problem(MartletError(.machine, "predictions.failed", "Never.")).retryAfter == nil)
    }
}
