/** What swagger-ui-bundle.js, loaded before reference.js, leaves behind. */
declare function SwaggerUIBundle(options: object): unknown;
