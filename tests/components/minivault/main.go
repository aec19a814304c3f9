// Minivault is HashiCorp Vault's own core, transit engine and HTTP API in one small program, for
// tests: it initializes and unseals itself, has transit mounted, and says on its first line where
// it is and who may do everything there. It listens on loopback only.
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	log "github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

type options struct {
	listen, certificate, key, data, unsealKey string
	untilStdinEnds                            bool
}

// ready is what is printed when requests are answered.
type ready struct {
	Address   string `json:"address"`
	RootToken string `json:"root_token,omitempty"`
	UnsealKey string `json:"unseal_key"`
}

// onlyTransit is the catalog of a Vault without plugins.
type onlyTransit struct{}

func (onlyTransit) Contains(name string, kind consts.PluginType) bool {
	return name == "transit" && kind == consts.PluginTypeSecrets
}

func (catalog onlyTransit) Get(name string, kind consts.PluginType) (func() (interface{}, error), bool) {
	factory := func() (interface{}, error) { return logical.Factory(transit.Factory), nil }
	return factory, catalog.Contains(name, kind)
}

func (onlyTransit) Keys(consts.PluginType) []string { return []string{"transit"} }

func (catalog onlyTransit) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, catalog.Contains(name, kind)
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "127.0.0.1:0", "loopback address; port 0 for a free one")
	flag.StringVar(&o.certificate, "tls-cert", "", "certificate chain in PEM; TLS if it is given")
	flag.StringVar(&o.key, "tls-key", "", "private key of the certificate in PEM")
	flag.StringVar(&o.data, "data", "", "folder to keep everything in; memory if it is not given")
	flag.StringVar(&o.unsealKey, "unseal-key", "", "opens a folder that was used before")
	flag.BoolVar(&o.untilStdinEnds, "until-stdin-ends", false, "stop when standard input ends")
	flag.Parse()
	if o.untilStdinEnds {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(0)
		}()
	}
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "minivault:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	listener, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	if !listener.Addr().(*net.TCPAddr).IP.IsLoopback() {
		return errors.New("only loopback addresses may be listened on")
	}
	address := listener.Addr().String()

	logger := log.New(&log.LoggerOptions{Level: log.Warn, Output: os.Stderr})
	storage, err := storage(o.data, logger)
	if err != nil {
		return err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical: storage, DisableMlock: true, Logger: logger,
		BuiltinRegistry: onlyTransit{}, RedirectAddr: "http://" + address,
		LogicalBackends: map[string]logical.Factory{"transit": transit.Factory},
	})
	if err != nil {
		return err
	}
	said := ready{Address: address, UnsealKey: o.unsealKey}
	if o.unsealKey == "" {
		err = initialize(core, &said)
	} else {
		err = unseal(core, o.unsealKey)
	}
	if err != nil {
		return err
	}

	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core: core, ListenerConfig: &configutil.Listener{Address: address},
	})
	if err := json.NewEncoder(os.Stdout).Encode(said); err != nil {
		return err
	}
	if o.certificate != "" {
		return http.ServeTLS(listener, handler, o.certificate, o.key)
	}
	return http.Serve(listener, handler)
}

func storage(folder string, logger log.Logger) (physical.Backend, error) {
	if folder == "" {
		return inmem.NewInmem(nil, logger)
	}
	return file.NewFileBackend(map[string]string{"path": folder}, logger)
}

func initialize(core *vault.Core, said *ready) error {
	made, err := core.Initialize(context.Background(), &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	if err != nil {
		return err
	}
	said.RootToken = made.RootToken
	said.UnsealKey = base64.StdEncoding.EncodeToString(made.SecretShares[0])
	if err := unseal(core, said.UnsealKey); err != nil {
		return err
	}
	answer, err := core.HandleRequest(namespace.RootContext(context.Background()), &logical.Request{
		Operation: logical.UpdateOperation, Path: "sys/mounts/transit",
		ClientToken: made.RootToken, Data: map[string]interface{}{"type": "transit"},
	})
	if err != nil {
		return err
	}
	return answer.Error()
}

func unseal(core *vault.Core, key string) error {
	share, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	open, err := core.Unseal(share)
	if err == nil && !open {
		err = errors.New("the unseal key does not open the folder")
	}
	return err
}
