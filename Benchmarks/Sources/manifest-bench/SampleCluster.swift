import Foundation

/// Writes the manifests of a made-up cluster, in the form and of the size that `kubectl get -A -o yaml` gives.
struct SampleCluster {
  var nodes = 5_000
  var pods = 100_000
  var services = 10_000
  var policies = 5_000
  var namespaces = 500

  /// Objects in one file; a real dump has one file, here several keep the memory of the writer small.
  private let perFile = 5_000

  func write(to folder: URL) throws -> Int {
    var total = 0
    func write(_ name: String, _ count: Int, _ object: (Int) -> String) throws {
      for (number, start) in stride(from: 0, to: count, by: perFile).enumerated() {
        var text = "apiVersion: v1\nkind: List\nitems:\n"
        for index in start..<min(count, start + perFile) { text += object(index) }
        try Data(text.utf8).write(to: folder.appending(path: "\(name)-\(number).yaml"))
        total += text.utf8.count
      }
    }
    try write("namespaces", namespaces, namespace)
    try write("nodes", nodes, node)
    try write("pods", pods, pod)
    try write("services", services, service)
    try write("policies", policies, policy)
    return total
  }

  func namespaceName(_ index: Int) -> String { "team-\(index % namespaces)" }

  /// Twenty pods make an application; an application is in one namespace.
  func application(ofPod index: Int) -> Int { index / 20 }
  func podName(_ index: Int) -> String { "app-\(application(ofPod: index))-6d5f8c9b7f-\(String(index, radix: 36))" }
  func podAddress(_ index: Int) -> String { "10.\(index >> 16 & 255).\(index >> 8 & 255).\(index & 255)" }

  private func namespace(_ index: Int) -> String {
    """
    - apiVersion: v1
      kind: Namespace
      metadata:
        labels:
          kubernetes.io/metadata.name: \(namespaceName(index))
          stage: \(index % 3 == 0 ? "production" : "test")
        name: \(namespaceName(index))
      spec:
        finalizers:
        - kubernetes

    """
  }

  private func node(_ index: Int) -> String {
    """
    - apiVersion: v1
      kind: Node
      metadata:
        annotations:
          node.alpha.kubernetes.io/ttl: "0"
        labels:
          kubernetes.io/arch: amd64
          kubernetes.io/hostname: node-\(index)
          kubernetes.io/os: linux
          topology.kubernetes.io/zone: zone-\(index % 3)
        name: node-\(index)
      spec:
        podCIDR: 10.\(index >> 8 & 255).\(index & 255).0/24
        podCIDRs:
        - 10.\(index >> 8 & 255).\(index & 255).0/24
      status:
        addresses:
        - address: 172.16.\(index >> 8 & 255).\(index & 255)
          type: InternalIP
        - address: node-\(index)
          type: Hostname
        allocatable:
          cpu: "8"
          memory: 32Gi
        capacity:
          cpu: "8"
          memory: 32Gi
        conditions:
        - lastHeartbeatTime: "2026-01-01T00:00:00Z"
          message: kubelet is posting ready status
          reason: KubeletReady
          status: "True"
          type: Ready

    """
  }

  private func pod(_ index: Int) -> String {
    let app = application(ofPod: index)
    return """
      - apiVersion: v1
        kind: Pod
        metadata:
          creationTimestamp: "2026-01-01T00:00:00Z"
          generateName: app-\(app)-6d5f8c9b7f-
          labels:
            app: app-\(app)
            pod-template-hash: 6d5f8c9b7f
            tier: \(app % 4 == 0 ? "frontend" : "backend")
          name: \(podName(index))
          namespace: \(namespaceName(app))
          ownerReferences:
          - apiVersion: apps/v1
            blockOwnerDeletion: true
            controller: true
            kind: ReplicaSet
            name: app-\(app)-6d5f8c9b7f
            uid: 00000000-0000-4000-8000-000000000000
          resourceVersion: "\(index)"
          uid: 00000000-0000-4000-8000-\(String(100_000_000_000 + index))
        spec:
          containers:
          - env:
            - name: STAGE
              value: production
            image: registry.example/app-\(app):1.0
            imagePullPolicy: IfNotPresent
            name: main
            ports:
            - containerPort: 8080
              name: http
              protocol: TCP
            - containerPort: 9090
              name: metrics
              protocol: TCP
            readinessProbe:
              failureThreshold: 3
              httpGet:
                path: /healthz
                port: http
                scheme: HTTP
              periodSeconds: 10
            resources:
              requests:
                cpu: 100m
                memory: 128Mi
            volumeMounts:
            - mountPath: /var/run/secrets/kubernetes.io/serviceaccount
              name: kube-api-access
              readOnly: true
          dnsPolicy: ClusterFirst
          nodeName: node-\(index % nodes)
          restartPolicy: Always
          serviceAccountName: default
          tolerations:
          - effect: NoExecute
            key: node.kubernetes.io/not-ready
            operator: Exists
            tolerationSeconds: 300
          volumes:
          - name: kube-api-access
            projected:
              defaultMode: 420
        status:
          conditions:
          - lastTransitionTime: "2026-01-01T00:00:00Z"
            status: "True"
            type: Ready
          - lastTransitionTime: "2026-01-01T00:00:00Z"
            status: "True"
            type: PodScheduled
          containerStatuses:
          - image: registry.example/app-\(app):1.0
            name: main
            ready: true
            restartCount: 0
            started: true
          hostIP: 172.16.0.1
          phase: Running
          podIP: \(podAddress(index))
          podIPs:
          - ip: \(podAddress(index))
          qosClass: Burstable

      """
  }

  private func service(_ index: Int) -> String {
    // Two Services for each application.
    let app = index % max(pods / 20, 1)
    return """
      - apiVersion: v1
        kind: Service
        metadata:
          name: service-\(index)
          namespace: \(namespaceName(app))
        spec:
          clusterIP: 10.\(240 + index >> 16 & 7).\(index >> 8 & 255).\(index & 255)
          clusterIPs:
          - 10.\(240 + index >> 16 & 7).\(index >> 8 & 255).\(index & 255)
          internalTrafficPolicy: Cluster
          ipFamilies:
          - IPv4
          ports:
          - name: http
            port: 80
            protocol: TCP
            targetPort: http
          selector:
            app: app-\(app)
          sessionAffinity: None
          type: ClusterIP

      """
  }

  private func policy(_ index: Int) -> String {
    let app = index % max(pods / 20, 1)
    return """
      - apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata:
          name: policy-\(index)
          namespace: \(namespaceName(app))
        spec:
          ingress:
          - from:
            - podSelector:
                matchLabels:
                  tier: frontend
            - namespaceSelector:
                matchExpressions:
                - key: stage
                  operator: In
                  values:
                  - production
              podSelector:
                matchLabels:
                  app: app-\((app + 500) % max(pods / 20, 1))
            ports:
            - port: http
              protocol: TCP
            - endPort: 9099
              port: 9090
              protocol: TCP
          - from:
            - ipBlock:
                cidr: 172.16.0.0/12
                except:
                - 172.16.9.0/24
          podSelector:
            matchLabels:
              app: app-\(app)
          policyTypes:
          - Ingress

      """
  }
}
