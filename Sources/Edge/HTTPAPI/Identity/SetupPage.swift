internal import HTTPTypes
internal import Hummingbird
internal import NIOCore

/// The HTML page behind the setup link.
///
/// ```swift
/// let link = SetupPage.link(secret: secret.text, isSecure: site.isSecure, host: host, port: port)
/// ```
package enum SetupPage {
    /// Returns the setup link to print; its secret stands behind `#`.
    package static func link(secret: String, isSecure: Bool, host: String, port: Int) -> String {
        let name = host == "0.0.0.0" || host == "::" ? "localhost" : host.contains(":") ? "[\(host)]" : host
        return "\(isSecure ? "https" : "http")://\(name):\(port)/setup#\(secret)"
    }

    /// The routes with their handlers.
    package static var routes: [Route] {
        [
            Route(
                .get, "/setup", id: "setupPage", "The page on which the first admin is made.", access: .anyone,
                replies: [.init(200, "A page.", .init("text/html", .text))]
            ) { _, _ in answer(html, "text/html; charset=utf-8") },
            Route(
                .get, "/setup.js", id: "setupScript", "What the page does.", access: .anyone,
                replies: [.init(200, "A script.", .init("text/javascript", .text))]
            ) { _, _ in answer(script, "text/javascript; charset=utf-8") },
        ]
    }

    private static func answer(_ text: String, _ type: String) -> Response {
        var headers: HTTPFields = [.contentType: type, .cacheControl: "no-store", .xContentTypeOptions: "nosniff"]
        headers[.contentSecurityPolicy] =
            "default-src 'none'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; "
            + "frame-ancestors 'none'"
        headers[.referrerPolicy] = "no-referrer"
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }

    private static let html = """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width">
        <title>Martlet: the first admin</title>
        <script src="/setup.js" defer></script>
        <h1>The first admin</h1>
        <p>Whoever has this link, which works once, may do everything on this server.</p>
        <form id="form">
        <p><label>Name <input id="name" autocomplete="username" required maxlength="64"></label></p>
        <p><label>Password <input id="password" type="password" autocomplete="new-password" required minlength="12">
        </label> at least 12 characters</p>
        <p><button>Make the admin</button></p>
        </form>
        <p id="answer" role="status"></p>
        </html>
        """

    private static let script = """
        const secret = location.hash.slice(1);
        history.replaceState(null, "", location.pathname);
        document.getElementById("form").addEventListener("submit", async (event) => {
            event.preventDefault();
            const value = (id) => document.getElementById(id).value;
            const say = (text) => { document.getElementById("answer").textContent = text; };
            const answer = await fetch("/api/setup", {
                method: "POST", headers: { "Content-Type": "application/json" },
                body: JSON.stringify({ secret, name: value("name"), password: value("password") }),
            });
            const told = await answer.json();
            say(answer.ok ? `${told.name} is admin and logged in.` : `${told.detail} ${told.remedy ?? ""}`);
            if (answer.ok) document.getElementById("form").remove();
        });
        """
}

extension HTTPField.Name {
    static let referrerPolicy = own("Referrer-Policy")
}
