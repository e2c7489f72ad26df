import type { ApolloServerPlugin, BaseContext } from '@apollo/server';

/**
 * Shows Apollo Sandbox at the address of queries. Apollo Server's own page cannot say where
 * subscriptions are served; Sandbox takes the protocol from the address: ws is graphql-ws.
 */
export function sandboxPage(): ApolloServerPlugin<BaseContext> {
  return {
    async serverWillStart() {
      return { renderLandingPage: async () => ({ html: SANDBOX_PAGE }) };
    },
  };
}

export const SANDBOX_PAGE = `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>spacerent: Apollo Sandbox</title>
  <style>
    body { margin: 0; font: 1rem system-ui, sans-serif; }
    #sandbox { position: absolute; inset: 0; }
    #sandbox iframe { border: 0; width: 100%; height: 100%; background: #fff; }
    #offline { padding: 2rem; max-width: 40rem; }
  </style>
</head>
<body>
  <div id="offline">
    <h1>spacerent</h1>
    <p>Apollo Sandbox comes from Apollo's servers, which cannot be reached from here. The API is at this
    address all the same, for any GraphQL client.</p>
  </div>
  <div id="sandbox"></div>
  <script src="https://embeddable-sandbox.cdn.apollographql.com/_latest/embeddable-sandbox.umd.production.min.js"></script>
  <script>
    const here = new URL(location.pathname, location.origin).href;
    new window.EmbeddedSandbox({
      target: '#sandbox',
      initialEndpoint: here,
      initialSubscriptionEndpoint: here.replace(/^http/, 'ws'),
      endpointIsEditable: false,
      runTelemetry: false,
      initialState: { includeCookies: false },
    });
  </script>
</body>
</html>
`;
