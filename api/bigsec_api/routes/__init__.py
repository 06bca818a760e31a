"""One file a resource: check the request, call the service, shape the answer."""
