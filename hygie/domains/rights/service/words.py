"""The words of an export, in French and English: it is read far from any catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Language = Literal["fr", "en"]

WORDS: Mapping[str, tuple[str, str]] = {
    "title": ("Mon dossier de santé", "My health record"),
    "of": ("Dossier de", "Record of"),
    "made": ("Copie préparée le", "Copy prepared on"),
    "asked": ("À la demande de", "At the request of"),
    "born": ("Né(e) le", "Born on"),
    "contents": ("Ce que contient cette copie", "What this copy holds"),
    "choices": ("Vos choix et vos équipes de soins", "Your choices and your care teams"),
    "rules": ("Qui peut lire votre dossier, et pourquoi", "Who may read your record, and why"),
    "history": ("Votre histoire, du plus récent au plus ancien", "Your history, newest first"),
    "documents": ("Vos documents", "Your documents"),
    "traces": ("Qui a ouvert votre dossier", "Who opened your record"),
    "none": ("Rien n’est écrit ici.", "Nothing is written here."),
    "more": (
        "Ici, les 5 000 lignes les plus récentes ; toutes les données sont dans le dossier fhir.",
        "Here, the 5,000 newest lines; all the data stand in the folder fhir.",
    ),
    "undated": ("Sans date", "No date"),
    "number": ("Nombre", "Number"),
    "kind": ("Sorte", "Kind"),
    "page": ("Page", "Page"),
    "no_traces": (
        "Les traces des accès ne sont données qu’à la personne elle-même.",
        "The traces of accesses are given to the person only.",
    ),
    "trace_count": ("accès tracés, dans le dossier traces", "traced accesses, in folder traces"),
}

READ_ME: Mapping[Language, str] = {
    "fr": """\
COPIE D'UN DOSSIER DE SANTÉ
===========================

Cette copie est à vous. Elle contient ce que vous avez le droit de lire dans Hygie au moment où
elle a été préparée. Gardez-la comme un document médical : qui l'ouvre lit votre santé.

Pour lire         ouvrez index.html, ou dossier.pdf
Vos documents     dossier documents : les fichiers d'origine
Pour un logiciel  dossier fhir : une ressource FHIR R4 par ligne, un fichier par sorte
Versions passées  dossier history : ce qui a été corrigé, et deleted.csv pour ce qui a été retiré
Qui est nommé     dossier directory : professionnels, structures et lieux cités
Qui a lu          dossier traces : chaque accès à votre dossier (si vous avez demandé vous-même)
Vérification      manifest.json : taille et empreinte SHA-256 de chaque fichier

Un autre logiciel peut reprendre ce dossier. Dans Hygie, l'exploitant lance :
hygie import-person FICHIER.zip

Ce qui n'y est pas : ce qu'un professionnel doit d'abord vous annoncer de vive voix ; les notes
qu'aucun texte n'oblige à communiquer. Vous pouvez demander une nouvelle copie à tout moment.
""",
    "en": """\
COPY OF A HEALTH RECORD
=======================

This copy is yours. It holds what you have the right to read in Hygie at the moment it was
prepared. Keep it as you keep a medical document: whoever opens it reads about your health.

To read           open index.html, or dossier.pdf
Your documents    folder documents: the original files
For software      folder fhir: one FHIR R4 resource per line, one file per type
Past versions     folder history: what was corrected, and deleted.csv for what was removed
Who is named      folder directory: professionals, structures and places that are cited
Who read it       folder traces: each access to your record (where you asked yourself)
To verify         manifest.json: size and SHA-256 of each file

Other software can take this record over. In Hygie, the operator runs:
hygie import-person FILE.zip

What is not in it: what a professional must first tell you in person; notes that no text requires
to be handed over. You may ask for a new copy at any time.
""",
}


def word(name: str, language: Language) -> str:
    """Return one text.

    >>> word("born", "en")
    'Born on'
    """
    return WORDS[name][0 if language == "fr" else 1]


def read_me(language: Language) -> str:
    """Return the text of README.txt: the language that was asked for first, then the other."""
    other: Language = "en" if language == "fr" else "fr"
    return f"{READ_ME[language]}\n\n{READ_ME[other]}"
