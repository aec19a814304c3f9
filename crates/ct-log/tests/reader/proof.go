package main

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"
	fproof "github.com/transparency-dev/formats/proof"
	"golang.org/x/mod/sumdb/tlog"
)

// runProof believes a saved proof only if the log has signed its checkpoint, if the leaf that
// follows from the certificate is in that tree, and if that tree begins with the earlier one, where
// the proof names one.
func runProof(file, chainFile, keyFile, origin string) error {
	key, err := readKey(keyFile)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var proof fproof.TLogProof
	if err := proof.Unmarshal(text); err != nil {
		return err
	}
	head, err := parseHead(proof.Checkpoint, key, origin)
	if err != nil {
		return err
	}
	chain, err := readChain(chainFile)
	if err != nil {
		return err
	}
	leaf, err := leafOf(chain, key)
	if err != nil {
		return err
	}
	path := make(tlog.RecordProof, len(proof.Hashes))
	for at, hash := range proof.Hashes {
		path[at] = hash
	}
	if err := tlog.CheckRecord(path, head.N, head.Hash, int64(proof.Index), tlog.RecordHash(leaf)); err != nil {
		return err
	}
	since, err := checkEarlier(proof.ExtraData, chain[0], head, key, origin)
	if err != nil {
		return err
	}
	fmt.Printf("good: entry %d of %d, grown since %d\n", proof.Index, head.N, since)
	return nil
}

func readChain(file string) ([]*ctx509.Certificate, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var chain []*ctx509.Certificate
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		certificate, err := ctx509.ParseCertificate(block.Bytes)
		if ctx509.IsFatal(err) {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	if len(chain) < 2 {
		return nil, errors.New("a certificate and its issuer are needed")
	}
	return chain, nil
}

// leafOf makes the Merkle leaf of the precertificate from the certificate and the only SCT in it.
func leafOf(chain []*ctx509.Certificate, key *ecdsa.PublicKey) ([]byte, error) {
	list := chain[0].SCTList.SCTList
	if len(list) != 1 {
		return nil, fmt.Errorf("the certificate has %d SCTs", len(list))
	}
	var sct ct.SignedCertificateTimestamp
	if rest, err := tls.Unmarshal(list[0].Val, &sct); err != nil || len(rest) != 0 {
		return nil, fmt.Errorf("not one SCT: %v", err)
	}
	leaf, err := ct.MerkleTreeLeafForEmbeddedSCT(chain, sct.Timestamp)
	if err != nil {
		return nil, err
	}
	leaf.TimestampedEntry.Extensions = sct.Extensions
	verifier, err := ct.NewSignatureVerifier(key)
	if err != nil {
		return nil, err
	}
	if err := verifier.VerifySCTSignature(sct, ct.LogEntry{Leaf: *leaf}); err != nil {
		return nil, err
	}
	return tls.Marshal(*leaf)
}

// checkEarlier returns the size of the earlier tree, or that of head where there is none.
func checkEarlier(extra []byte, certificate *ctx509.Certificate, head tlog.Tree, key *ecdsa.PublicKey, origin string) (int64, error) {
	var data struct {
		Certificate []byte `json:"certificate"`
		Earlier     *struct {
			Checkpoint string   `json:"checkpoint"`
			Path       []string `json:"path"`
		} `json:"earlier"`
	}
	if err := json.Unmarshal(extra, &data); err != nil {
		return 0, err
	}
	if !bytes.Equal(data.Certificate, certificate.Raw) {
		return 0, errors.New("the proof holds another certificate")
	}
	if data.Earlier == nil {
		return head.N, nil
	}
	old, err := parseHead([]byte(data.Earlier.Checkpoint), key, origin)
	if err != nil {
		return 0, fmt.Errorf("earlier checkpoint: %w", err)
	}
	var path tlog.TreeProof
	for _, text := range data.Earlier.Path {
		node, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(node) != tlog.HashSize {
			return 0, fmt.Errorf("%q is no hash", text)
		}
		path = append(path, tlog.Hash(node))
	}
	return old.N, tlog.CheckTree(path, head.N, head.Hash, old.N, old.Hash)
}
