// A reader of static-ct logs that shares no code with the log it reads. It believes a log only
// if the checkpoint's signature, every tile, every entry's place and every inclusion proof are
// right, and if every promise in a file of promises was kept.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	ct "github.com/google/certificate-transparency-go"
	"github.com/google/certificate-transparency-go/tls"
	ctx509 "github.com/google/certificate-transparency-go/x509"
	flog "github.com/transparency-dev/formats/log"
	fnote "github.com/transparency-dev/formats/note"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

func main() {
	from := flag.String("log", "", "folder or URL with checkpoint, tile/ and issuer/")
	keyFile := flag.String("key", "", "the log's public key in PEM")
	origin := flag.String("origin", "", "the log's origin")
	noteKey := flag.String("note-key", "", "the key of the second signature on the checkpoint, if it must have one")
	promises := flag.String("promises", "", "file with a promise a line: the SCT in hex, then `x509 CERTIFICATE` or `precert KEYHASH TBS` in hex")
	proof := flag.String("proof", "", "saved proof (c2sp.org/tlog-proof) of the certificate in -chain, to be checked without the log")
	chain := flag.String("chain", "", "PEM file of a certificate and its issuer")
	flag.Parse()
	if *proof != "" {
		if err := runProof(*proof, *chain, *keyFile, *origin); err != nil {
			fmt.Fprintln(os.Stderr, "not a good proof:", err)
			os.Exit(1)
		}
		return
	}
	if err := run(*from, *keyFile, *origin, *noteKey, *promises); err != nil {
		fmt.Fprintln(os.Stderr, "not a good log:", err)
		os.Exit(1)
	}
}

func run(from, keyFile, origin, noteKey, promises string) error {
	key, err := readKey(keyFile)
	if err != nil {
		return err
	}
	log := source(from)
	head, err := readHead(log, key, origin)
	if err != nil {
		return err
	}
	if err := checkSecondSignature(log, noteKey); err != nil {
		return err
	}
	entries, hashes, err := readEntries(log, head)
	if err != nil {
		return err
	}
	tiles, err := checkTiles(log, head, hashes)
	if err != nil {
		return err
	}
	if err := checkInclusion(log, head, entries); err != nil {
		return err
	}
	kept, err := checkPromises(promises, key, entries)
	if err != nil {
		return err
	}
	fmt.Printf("good: %d entries, %d tiles, %d promises kept\n", head.N, tiles, kept)
	return nil
}

func readKey(file string) (*ecdsa.PublicKey, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the key is not PEM")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	ec, ok := key.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("the key is not ECDSA")
	}
	return ec, nil
}

// source is a folder or a URL.
type source string

var errMissing = errors.New("not there")

func (s source) read(path string) ([]byte, error) {
	if !strings.Contains(string(s), "://") {
		content, err := os.ReadFile(filepath.Join(string(s), path))
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("%s: %w", path, errMissing)
		}
		return content, err
	}
	request, err := http.NewRequest(http.MethodGet, strings.TrimSuffix(string(s), "/")+"/"+path, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Accept-Encoding", "gzip, identity")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, fmt.Errorf("%s: %w", path, errMissing)
	default:
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	if want := contentType(path); answer.Header.Get("Content-Type") != want {
		return nil, fmt.Errorf("%s has Content-Type %q, not %q", path, answer.Header.Get("Content-Type"), want)
	}
	var body io.Reader = answer.Body
	if answer.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(body); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(io.LimitReader(body, 1<<30))
}

func contentType(path string) string {
	switch {
	case path == "checkpoint":
		return "text/plain; charset=utf-8"
	case strings.HasPrefix(path, "issuer/"):
		return "application/pkix-cert"
	}
	return "application/octet-stream"
}

// tile reads a partial tile, or the full one when the partial one is gone.
func (s source) tile(t tlog.Tile) ([]byte, error) {
	path := strings.Replace(t.Path(), fmt.Sprintf("tile/%d/", height), "tile/", 1)
	content, err := s.read(path)
	if t.W == 1<<height || !errors.Is(err, errMissing) {
		return content, err
	}
	full, _, _ := strings.Cut(path, ".p/")
	content, err = s.read(full)
	if err == nil && t.L >= 0 {
		content = content[:t.W*tlog.HashSize]
	}
	return content, err
}

func readHead(log source, key *ecdsa.PublicKey, origin string) (tlog.Tree, error) {
	text, err := log.read("checkpoint")
	if err != nil {
		return tlog.Tree{}, err
	}
	return parseHead(text, key, origin)
}

func parseHead(text []byte, key *ecdsa.PublicKey, origin string) (tlog.Tree, error) {
	var tree tlog.Tree
	vkey, err := fnote.RFC6962VerifierString(origin, key)
	if err != nil {
		return tree, err
	}
	verifier, err := fnote.NewRFC6962Verifier(vkey)
	if err != nil {
		return tree, err
	}
	checkpoint, rest, note, err := flog.ParseCheckpoint(text, origin, verifier)
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	if len(rest) != 0 {
		return tree, errors.New("the checkpoint has extension lines")
	}
	signed, err := fnote.RFC6962STHTimestamp(note.Sigs[0])
	if err != nil {
		return tree, err
	}
	if signed.After(time.Now().Add(time.Minute)) {
		return tree, fmt.Errorf("the checkpoint is signed in the future, %s", signed)
	}
	tree.N = int64(checkpoint.Size)
	copy(tree.Hash[:], checkpoint.Hash)
	return tree, nil
}

// checkSecondSignature opens the checkpoint as a note of the Go checksum database would be opened.
func checkSecondSignature(log source, noteKey string) error {
	if noteKey == "" {
		return nil
	}
	verifier, err := note.NewVerifier(noteKey)
	if err != nil {
		return err
	}
	text, err := log.read("checkpoint")
	if err != nil {
		return err
	}
	if _, err := note.Open(text, note.VerifierList(verifier)); err != nil {
		return fmt.Errorf("second signature: %w", err)
	}
	return nil
}

// stored is a tree in memory, made from the entries alone.
type stored []tlog.Hash

func (s stored) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, index := range indexes {
		if index >= int64(len(s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		out = append(out, s[index])
	}
	return out, nil
}

// entry is what a data tile says of one entry, and the Merkle leaf that follows from it.
type entry struct {
	timestamp uint64
	leaf      []byte
}

func readEntries(log source, head tlog.Tree) ([]entry, stored, error) {
	var entries []entry
	var hashes stored
	issuers := map[[32]byte]bool{}
	for n := int64(0); n*256 < head.N; n++ {
		tile := tlog.Tile{H: height, L: -1, N: n, W: int(min(256, head.N-n*256))}
		rest, err := log.tile(tile)
		if err != nil {
			return nil, nil, err
		}
		for range tile.W {
			var read entry
			if read, rest, err = readEntry(log, rest, int64(len(entries)), issuers); err != nil {
				return nil, nil, fmt.Errorf("entry %d: %w", len(entries), err)
			}
			if len(entries) > 0 && read.timestamp < entries[len(entries)-1].timestamp {
				return nil, nil, fmt.Errorf("entry %d is older than the one before", len(entries))
			}
			more, err := tlog.StoredHashes(int64(len(entries)), read.leaf, hashes)
			if err != nil {
				return nil, nil, err
			}
			hashes = append(hashes, more...)
			entries = append(entries, read)
		}
	}
	root, err := tlog.TreeHash(head.N, hashes)
	if err != nil {
		return nil, nil, err
	}
	if root != head.Hash {
		return nil, nil, errors.New("the entries do not make the tree of the checkpoint")
	}
	return entries, hashes, nil
}

func readEntry(log source, tile []byte, index int64, issuers map[[32]byte]bool) (entry, []byte, error) {
	var stamped ct.TimestampedEntry
	rest, err := tls.Unmarshal(tile, &stamped)
	if err != nil {
		return entry{}, nil, err
	}
	if stamped.EntryType == ct.PrecertLogEntryType {
		var precertificate ct.ASN1Cert
		if rest, err = tls.Unmarshal(rest, &precertificate); err != nil {
			return entry{}, nil, err
		}
	}
	var chain struct {
		Fingerprints []byte `tls:"minlen:0,maxlen:65535"`
	}
	if rest, err = tls.Unmarshal(rest, &chain); err != nil {
		return entry{}, nil, err
	}
	for fingerprints := chain.Fingerprints; len(fingerprints) > 0; {
		if len(fingerprints) < 32 {
			return entry{}, nil, errors.New("half a fingerprint")
		}
		fingerprint := [32]byte(fingerprints)
		fingerprints = fingerprints[32:]
		if issuers[fingerprint] {
			continue
		}
		issuer, err := log.read("issuer/" + hex.EncodeToString(fingerprint[:]))
		if err != nil {
			return entry{}, nil, err
		}
		if sha256.Sum256(issuer) != fingerprint {
			return entry{}, nil, errors.New("an issuer has another fingerprint")
		}
		issuers[fingerprint] = true
	}
	if at, err := leafIndex(stamped.Extensions); err != nil || at != index {
		return entry{}, nil, fmt.Errorf("it says that it is entry %d (%v)", at, err)
	}
	leaf, err := tls.Marshal(ct.MerkleTreeLeaf{
		Version:          ct.V1,
		LeafType:         ct.TimestampedEntryLeafType,
		TimestampedEntry: &stamped,
	})
	return entry{stamped.Timestamp, leaf}, rest, err
}

func leafIndex(extensions []byte) (int64, error) {
	if len(extensions) != 8 || !bytes.Equal(extensions[:3], []byte{0, 0, 5}) {
		return 0, errors.New("the extensions are not one leaf_index")
	}
	var index int64
	for _, digit := range extensions[3:] {
		index = index<<8 | int64(digit)
	}
	return index, nil
}

// checkTiles compares every tile that the log has to serve with the one made from the entries.
func checkTiles(log source, head tlog.Tree, hashes stored) (int, error) {
	tiles := tlog.NewTiles(height, 0, head.N)
	for _, tile := range tiles {
		served, err := log.tile(tile)
		if err != nil {
			return 0, err
		}
		want, err := tlog.ReadTileData(tile, hashes)
		if err != nil {
			return 0, err
		}
		if !bytes.Equal(served, want) {
			return 0, fmt.Errorf("%s is not the tile of the entries", tile.Path())
		}
	}
	return len(tiles), nil
}

// tileReader lets the library prove things from the tiles that the log serves.
type tileReader struct {
	source
	cache map[tlog.Tile][]byte
}

func (r tileReader) Height() int { return height }

func (r tileReader) SaveTiles([]tlog.Tile, [][]byte) {}

func (r tileReader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range tiles {
		content, ok := r.cache[tile]
		if !ok {
			var err error
			if content, err = r.tile(tile); err != nil {
				return nil, err
			}
			r.cache[tile] = content
		}
		out = append(out, content)
	}
	return out, nil
}

func checkInclusion(log source, head tlog.Tree, entries []entry) error {
	hashes := tlog.TileHashReader(head, tileReader{log, map[tlog.Tile][]byte{}})
	for index, entry := range entries {
		proof, err := tlog.ProveRecord(head.N, int64(index), hashes)
		if err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
		if err := tlog.CheckRecord(proof, head.N, head.Hash, int64(index), tlog.RecordHash(entry.leaf)); err != nil {
			return fmt.Errorf("entry %d: %w", index, err)
		}
	}
	return nil
}

func checkPromises(file string, key *ecdsa.PublicKey, entries []entry) (int, error) {
	if file == "" {
		return 0, nil
	}
	content, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer content.Close()
	verifier, err := ct.NewSignatureVerifier(key)
	if err != nil {
		return 0, err
	}
	kept := 0
	lines := bufio.NewScanner(content)
	lines.Buffer(nil, 8<<20)
	for ; lines.Scan(); kept++ {
		if err := checkPromise(lines.Text(), verifier, entries); err != nil {
			return 0, fmt.Errorf("promise %d: %w", kept+1, err)
		}
	}
	return kept, lines.Err()
}

func checkPromise(line string, verifier *ct.SignatureVerifier, entries []entry) error {
	words := strings.Fields(line)
	var fields [][]byte
	for at, word := range words {
		if at == 1 {
			fields = append(fields, nil)
			continue
		}
		field, err := hex.DecodeString(word)
		if err != nil {
			return err
		}
		fields = append(fields, field)
	}
	var sct ct.SignedCertificateTimestamp
	if len(fields) < 3 {
		return errors.New("a promise has at least three words")
	}
	if rest, err := tls.Unmarshal(fields[0], &sct); err != nil || len(rest) != 0 {
		return fmt.Errorf("not one SCT: %v", err)
	}
	stamped := ct.TimestampedEntry{Timestamp: sct.Timestamp, Extensions: sct.Extensions}
	switch {
	case words[1] == "x509" && len(fields) == 3:
		stamped.EntryType = ct.X509LogEntryType
		stamped.X509Entry = &ct.ASN1Cert{Data: fields[2]}
	case words[1] == "precert" && len(fields) == 4 && len(fields[2]) == 32:
		stamped.EntryType = ct.PrecertLogEntryType
		stamped.PrecertEntry = &ct.PreCert{IssuerKeyHash: [32]byte(fields[2]), TBSCertificate: fields[3]}
	default:
		return fmt.Errorf("%q is no promise", words[1])
	}
	leaf := ct.MerkleTreeLeaf{
		Version:          ct.V1,
		LeafType:         ct.TimestampedEntryLeafType,
		TimestampedEntry: &stamped,
	}
	signed := ct.LogEntry{Leaf: leaf}
	if stamped.EntryType == ct.X509LogEntryType {
		signed.X509Cert = &ctx509.Certificate{Raw: fields[2]}
	}
	if err := verifier.VerifySCTSignature(sct, signed); err != nil {
		return err
	}
	index, err := leafIndex(sct.Extensions)
	if err != nil {
		return err
	}
	want, err := tls.Marshal(leaf)
	if err != nil {
		return err
	}
	if index >= int64(len(entries)) || !bytes.Equal(entries[index].leaf, want) {
		return fmt.Errorf("entry %d is not in the log", index)
	}
	return nil
}
