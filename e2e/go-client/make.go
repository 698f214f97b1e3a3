package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

func namespaceOf(name string) *corev1.Namespace {
	return &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
}

func configMap(name string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: data}
}

// signingRequest is the request for a certificate of a user, as JSON carries it.
func signingRequest(user string) (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", err
	}
	request := &x509.CertificateRequest{Subject: pkix.Name{CommonName: user}}
	bytes, err := x509.CreateCertificateRequest(rand.Reader, request, key)
	if err != nil {
		return "", err
	}
	block := &pem.Block{Type: "CERTIFICATE REQUEST", Bytes: bytes}
	return base64.StdEncoding.EncodeToString(pem.EncodeToMemory(block)), nil
}

// codecsOf speaks JSON of the kinds of a scheme.
func codecsOf(known *runtime.Scheme) runtime.NegotiatedSerializer {
	return serializer.NewCodecFactory(known).WithoutConversion()
}
