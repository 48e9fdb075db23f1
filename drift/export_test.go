package drift

// Says is for tests beside a real API server.
var Says = says
