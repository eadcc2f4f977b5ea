/** The API reference: Swagger UI over this Worker's own document. Keys are kept in the page only, and gone with it. */
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: false,
  // The badge would be fetched from a validator on the internet.
  validatorUrl: null,
});
