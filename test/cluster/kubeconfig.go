package cluster

import (
	"fmt"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

// clientConfig is the configuration of a client without a limit on its own rate: the API server's fairness is what a test should meet.
func (a *authority) clientConfig(server, user string, groups ...string) (*rest.Config, error) {
	p, err := a.issue(user, groups...)
	if err != nil {
		return nil, err
	}
	return &rest.Config{
		Host:            server,
		QPS:             -1,
		TLSClientConfig: rest.TLSClientConfig{CAData: a.pem, CertData: p.cert, KeyData: p.key},
	}, nil
}

// writeKubeconfig writes config, whose credentials must be inline, to path as user.
func writeKubeconfig(path, user string, config *rest.Config) error {
	file := api.NewConfig()
	file.Clusters["moorgate"] = &api.Cluster{
		Server:                   config.Host,
		CertificateAuthorityData: config.CAData,
		CertificateAuthority:     config.CAFile,
		InsecureSkipTLSVerify:    config.Insecure,
		TLSServerName:            config.ServerName,
	}
	file.AuthInfos[user] = &api.AuthInfo{
		ClientCertificateData: config.CertData,
		ClientKeyData:         config.KeyData,
		Token:                 config.BearerToken,
	}
	file.Contexts["moorgate"] = &api.Context{Cluster: "moorgate", AuthInfo: user}
	file.CurrentContext = "moorgate"
	if err := clientcmd.WriteToFile(*file, path); err != nil {
		return fmt.Errorf("write kubeconfig of %s: %w", user, err)
	}
	return nil
}
