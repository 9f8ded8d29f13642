// Stands in for the package config: where the servers of this run are, under the names of drachtio-srf's configuration.

const { servers } = JSON.parse(process.env.HOPBACK_DRACHTIO_SRF_NETWORK);

exports.get = (name) => ({ enablePing: true, pingInterval: 5_000, ...servers[name] });
